import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';
import { precompress } from './scripts/precompress.ts';

// `npm run dev` and `npm run preview` need a running panel.
const panel = process.env.PANEL_URL ?? 'http://127.0.0.1:8080';
const proxy = { '/api': panel, '/health': panel };

export default defineConfig({
  // Relative, so that the same build works under any base path; see <base> in index.html.
  base: './',
  plugins: [react(), precompress()],
  resolve: { alias: { '~': new URL('./src', import.meta.url).pathname } },
  build: {
    target: 'es2022',
    modulePreload: { polyfill: false },
    // No data: URLs in scripts for small images: the Content-Security-Policy allows only files.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 600,
    rolldownOptions: {
      output: {
        codeSplitting: {
          // Changes rarely, so browsers keep it cached when the panel is updated.
          groups: [
            {
              name: 'base',
              test: /node_modules\/(?:react|react-dom|scheduler|@tanstack|i18next|react-i18next)\//,
            },
          ],
        },
      },
    },
  },
  server: { proxy },
  preview: {
    proxy,
    // The same policy as the panel's, so that violations are seen early.
    headers: {
      'Content-Security-Policy':
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
        "connect-src 'self'; manifest-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'",
    },
  },
  test: {
    environment: 'node',
    include: ['src/**/*.test.{ts,tsx}'],
    env: { TZ: 'Europe/Moscow' },
  },
});
