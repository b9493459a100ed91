// How fast the list answers a keystroke with 100,000 users: node e2e/browser/large.mjs
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { ADMIN, launch, startPanel, startProxy } from './harness.mjs';

const USERS = Number(process.env.USERS ?? 100_000);
const proxy = await startProxy();
const panel = await startPanel(proxy, { METRICS_SCRAPE_INTERVAL_SECONDS: '3600' });
await panel.stop();
execFileSync('python3', ['-c', `
import sqlite3, secrets
db = sqlite3.connect(${JSON.stringify(join(panel.directory, 'panel.db'))})
rows = ((f'client{n}', secrets.token_hex(16), 'active', n * 1000, 'none', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z') for n in range(${USERS}))
db.executemany("insert into users (username, secret, status, data_used, reset_strategy, created_at, updated_at) values (?,?,?,?,?,?,?)", rows)
db.commit()
`], { stdio: 'inherit' });
await panel.start();
const browser = await launch();
const page = await browser.newPage();
await page.goto(`${panel.pages}/users`);
await page.locator('input[name=username]').fill(ADMIN.username);
await page.locator('input[name=password]').fill(ADMIN.password);
await page.locator('button[type=submit]').click();
await page.locator('tbody tr').first().waitFor();
await page.waitForTimeout(1000);

// Measured in the page: from the key to the frame in which the new rows are drawn.
await page.evaluate(() => {
  window.times = [];
  const search = document.querySelector('input[type=search]');
  search.addEventListener('input', () => {
    const began = performance.now();
    const first = () => document.querySelector('tbody tr th')?.textContent;
    const before = first();
    const look = () => {
      if (first() === before) return requestAnimationFrame(look);
      window.times.push(Math.round(performance.now() - began));
    };
    requestAnimationFrame(look);
  });
});
for (const key of ['8', '7', '6', '5']) {
  await page.locator('input[type=search]').press(key);
  await page.waitForTimeout(800);
}
const times = await page.evaluate(() => window.times);
const api = await page.evaluate(() =>
  performance.getEntriesByType('resource').filter(({ name }) => /search=/.test(name)).map(({ duration }) => Math.round(duration)),
);
console.log({ users: USERS, fromKeyToRows: times, ofThatTheServer: api });
await browser.close();
await panel.stop();
proxy.stop();
panel.remove();
