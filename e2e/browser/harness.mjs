// Starts what the tests need: a fake proxy with metrics only, the real program on an empty database, a browser.
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = new URL('../..', import.meta.url).pathname;
const require = createRequire(join(root, 'web/package.json'));
const binary = process.env.MTPANNEL ?? join(root, 'target/debug/mtpannel');

export const ADMIN = { username: 'admin', password: 'a long test password' };

const listen = (server) =>
  new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address().port)));

const freePort = async () => {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
};

/** Serves the /metrics of a fake proxy, whose counters a test sets. */
export async function startProxy() {
  const began = Date.now() - 3 * 86_400_000;
  const state = { up: true, users: new Map(), total: 1200, bad: 7 };
  const server = createServer((_, response) => {
    if (!state.up) return response.destroy();
    const lines = [
      'telemt_build_info{version="3.4.1"} 1',
      `telemt_uptime_seconds ${(Date.now() - began) / 1000}`,
      `telemt_connections_total ${state.total}`,
      `telemt_connections_bad_total ${state.bad}`,
    ];
    for (const [name, { from = 0, to = 0, connections = 0, ips = 0 }] of state.users) {
      lines.push(`telemt_user_octets_from_client{user="${name}"} ${from}`);
      lines.push(`telemt_user_octets_to_client{user="${name}"} ${to}`);
      lines.push(`telemt_user_connections_current{user="${name}"} ${connections}`);
      lines.push(`telemt_user_unique_ips_current{user="${name}"} ${ips}`);
    }
    response.setHeader('content-type', 'text/plain; version=0.0.4');
    response.end(`${lines.join('\n')}\n`);
  });
  const port = await listen(server);
  return { state, url: `http://127.0.0.1:${port}/metrics`, stop: () => server.close() };
}

async function waitForAnswer(url, tries = 150) {
  for (let n = 0; n < tries; n++) {
    if (await fetch(url).then((response) => response.ok, () => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${url} does not answer`);
}

/** Starts the panel with one administrator. */
export async function startPanel(proxy, extra = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'mtpannel-browser-'));
  const port = await freePort();
  const env = {
    PATH: process.env.PATH,
    SECRET_KEY: randomBytes(32).toString('hex'),
    PROXY_HOST: 'proxy.example.com',
    TLS_DOMAIN: 'www.example.com',
    DATABASE_URL: `sqlite:///${join(directory, 'panel.db')}`,
    TELEMT_CONFIG_PATH: join(directory, 'telemt/config.toml'),
    TELEMT_METRICS_URL: proxy.url,
    METRICS_SCRAPE_INTERVAL_SECONDS: '1',
    LISTEN: `127.0.0.1:${port}`,
    PANEL_METRICS_LISTEN: `127.0.0.1:${await freePort()}`,
    RUST_LOG: 'warn',
    ...extra,
  };
  const options = { cwd: directory, env };
  execFileSync(binary, ['admin', 'create', ADMIN.username, '--sudo', '--password-stdin'], {
    ...options,
    input: ADMIN.password,
  });
  let child;
  let up = false;
  const start = async () => {
    child = spawn(binary, ['serve'], { ...options, stdio: ['ignore', 'inherit', 'inherit'] });
    await waitForAnswer(`http://127.0.0.1:${port}/health`);
    up = true;
  };
  // Also if the script fails: otherwise the panel runs on, and readers of the output wait for ever.
  process.once('exit', () => child.kill('SIGKILL'));
  const stop = () => {
    up = false;
    return new Promise((resolve) => (child.once('exit', resolve), child.kill('SIGTERM')));
  };
  await start();
  const url = `http://127.0.0.1:${port}`;
  const pages = `${url}${env.BASE_PATH ?? ''}`;
  return { url, pages, port, directory, env, start, stop, isUp: () => up, remove: () => rmSync(directory, { recursive: true }) };
}

/** Logs in and returns a function that calls the API, to prepare and check tests. */
export async function connect(panel, credentials = ADMIN) {
  const call = async (method, path, body, token) => {
    const response = await fetch(`${panel.url}${panel.env.BASE_PATH ?? ''}/api${path}`, {
      method,
      headers: { ...(token && { authorization: `Bearer ${token}` }), ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text && JSON.parse(text);
  };
  const { access_token: token } = await call('POST', '/admin/token', credentials);
  return (method, path, body) => call(method, path, body, token);
}

/** Starts the browser. */
export async function launch() {
  const { chromium } = require('playwright-core');
  return chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
}

/** Records what must never happen on a page: an error on the console, an exception, a request to another origin. */
export async function watch(page, panel, faults) {
  page.on('console', (message) => {
    // Refused requests and a stopped panel are part of the journeys; the browser logs each such answer as an error.
    const isRefused = /Failed to load resource/.test(message.text()) && (/\/api\//.test(message.location().url) || !panel.isUp());
    if (message.type() === 'error' && !isRefused) faults.push(`console: ${message.text()} ${message.location().url}`);
  });
  page.on('pageerror', (error) => faults.push(`page: ${error.message}`));
  page.on('request', (request) => {
    const url = request.url();
    if (new URL(url).origin !== panel.url && !/^(data|blob):/.test(url)) faults.push(`leaves the origin: ${url}`);
  });
  return page;
}

/** Waits until everything is loaded and nothing is animated for some frames: colours start to change one frame after the theme. */
export async function settled(page) {
  await page.waitForFunction(async () => {
    const moves = ({ playState, effect }) => playState === 'running' && effect.getTiming().iterations !== Infinity;
    for (let frame = 0; frame < 4; frame += 1) {
      if (document.querySelector('[class*="Skeleton-root"]') || document.getAnimations().some(moves)) return false;
      await new Promise(requestAnimationFrame);
    }
    return true;
  });
}

const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

/** What axe finds on the page, and whether it scrolls sideways. */
export async function violations(page) {
  await settled(page);
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe);
  return page.evaluate(async () => {
    // An open menu is at the end of the document, outside of every landmark.
    const { violations } = await axe.run({ rules: { region: { enabled: !document.querySelector('[role=menu]') } } });
    const found = violations.map(({ id, nodes }) =>
      `axe ${id}: ${nodes.slice(0, 3).map(({ target, any }) => `${target} ${any[0]?.message ?? ''}`).join(' | ')}`);
    const { scrollWidth, clientWidth } = document.documentElement;
    return scrollWidth > clientWidth ? [...found, `scrolls sideways by ${scrollWidth - clientWidth}`] : found;
  });
}

/** Waits until the panel has scraped the proxy's present counters. */
export async function waitForScrape(api) {
  const at = async () => Date.parse((await api('GET', '/system/stats')).proxy.scraped_at ?? 0);
  const began = Date.now();
  // Times are whole seconds, and a scrape that is under way may have started before.
  while ((await at()) < began + 2000) {
    if (Date.now() > began + 60_000) throw new Error('the panel does not scrape the proxy');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export const readQr = () => require('jsqr').default ?? require('jsqr');
export { root };
