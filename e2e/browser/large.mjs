// Measures the list with 100,000 users beside the list with 50: node e2e/browser/large.mjs (make bench-web)
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { ADMIN, launch, startPanel, startProxy } from './harness.mjs';

/** The most milliseconds allowed. */
const LIMITS = { 'from a key to the rows': 150, 'until the list can be used': 1000 };
const VISITS = 5;

const median = (times) => times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)];

async function fill(panel, users) {
  await panel.stop();
  execFileSync('python3', ['-c', `
import sqlite3, secrets
db = sqlite3.connect(${JSON.stringify(join(panel.directory, 'panel.db'))})
rows = ((f'client{n}', secrets.token_hex(16), 'active', n * 1000, 'none', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z') for n in range(${users}))
db.executemany("insert into users (username, secret, status, data_used, reset_strategy, created_at, updated_at) values (?,?,?,?,?,?,?)", rows)
db.commit()
`], { stdio: 'inherit' });
  await panel.start();
}

/** Times from the navigation to the first row, with everything but the page itself in the browser's cache. */
async function measureVisits(page, url) {
  const times = [];
  for (let n = 0; n < VISITS; n++) {
    await page.goto(url);
    await page.locator('tbody tr').first().waitFor();
    times.push(await page.evaluate(() => window.firstRow));
  }
  return times;
}

/** Times from each key to the frame that draws other rows. */
async function measureKeystrokes(page, keys) {
  await page.evaluate(() => {
    window.times = [];
    const search = document.querySelector('input[type=search]');
    const first = () => document.querySelector('tbody')?.textContent;
    search.addEventListener('input', () => {
      const [began, before] = [performance.now(), first()];
      const look = () => {
        if (first() === before) return requestAnimationFrame(look);
        window.times.push(performance.now() - began);
      };
      requestAnimationFrame(look);
    });
  });
  for (const [n, key] of [...keys].entries()) {
    await page.locator('input[type=search]').press(key);
    await page.waitForFunction((drawn) => window.times.length === drawn, n + 1);
  }
  return page.evaluate(() => window.times);
}

/** Measures a list; each key must match fewer users than the one before. */
async function measure(users, keys) {
  const proxy = await startProxy();
  const panel = await startPanel(proxy, { METRICS_SCRAPE_INTERVAL_SECONDS: '3600' });
  await fill(panel, users);
  const browser = await launch();
  const page = await browser.newPage();
  await page.addInitScript(() => {
    const look = () => {
      if (document.querySelector('tbody tr')) window.firstRow = performance.now();
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  const url = `${panel.pages}/users?sort=username`;
  await page.goto(url);
  await page.locator('input[name=username]').fill(ADMIN.username);
  await page.locator('input[name=password]').fill(ADMIN.password);
  await page.locator('button[type=submit]').click();
  await page.locator('tbody tr').first().waitFor();
  const usable = await measureVisits(page, url);
  const typed = await measureKeystrokes(page, keys);
  await browser.close();
  await panel.stop();
  proxy.stop();
  panel.remove();
  return { 'from a key to the rows': Math.max(...typed), 'until the list can be used': median(usable) };
}

const few = await measure(50, '41');
const many = await measure(100_000, '8765');
const rows = Object.entries(LIMITS).map(([what, limit]) => ({
  'milliseconds': what,
  '50 users': Math.round(few[what]),
  '100,000 users': Math.round(many[what]),
  limit,
  verdict: many[what] <= limit ? 'met' : 'missed',
}));
console.table(rows);
process.exit(rows.every(({ verdict }) => verdict === 'met') ? 0 : 1);
