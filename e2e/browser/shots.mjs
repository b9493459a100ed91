// Takes screenshots of every page: node e2e/browser/shots.mjs [folder]. Someone has to look at them.
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ADMIN, axeSource, connect, launch, root, startPanel, startProxy } from './harness.mjs';

const folder = process.argv[2] ?? join(root, 'web/screenshots');
const only = process.env.ONLY?.split(',');
mkdirSync(folder, { recursive: true });
const GiB = 1024 ** 3;
const days = (count) => new Date(Date.now() + count * 86_400_000).toISOString();

const proxy = await startProxy();
const panel = await startPanel(proxy);
const api = await connect(panel);

const people = [
  ['alice', { data_limit: 50 * GiB, expire_at: days(24), max_connections: 8, max_unique_ips: 3, note: 'paid until January' }, 31 * GiB, 3],
  ['bob_marley', { data_limit: 10 * GiB, reset_strategy: 'monthly' }, 9.1 * GiB, 1],
  ['carol', { expire_at: days(2), max_connections: 4 }, 4.4 * GiB, 2],
  ['dave-the-long-name-of-32-letters', { data_limit: 5 * GiB, note: '<script>alert(1)</script> stays text' }, 5.2 * GiB, 0],
  ['erin', { expire_at: days(-3) }, 0.7 * GiB, 0],
  ['frank', {}, 120 * GiB, 6],
  ['grace', { note: 'Заметка по-русски' }, 0, 0],
  ['heidi', { data_limit: 1 * GiB }, 0.2 * GiB, 0],
];
await api('POST', '/admins', { username: 'helper', password: 'another long password', is_sudo: false });
for (const [username, limits] of people) await api('POST', '/users', { username, ...limits });
await api('PUT', '/users/heidi', { status: 'disabled' });
for (let n = 0; n < 60; n++) await api('POST', '/users', { username: `client${n}` });
await new Promise((resolve) => setTimeout(resolve, 1500));
for (const [name, , bytes, connections] of people) {
  proxy.state.users.set(name, { from: Math.round(bytes * 0.12), to: Math.round(bytes * 0.88), connections, ips: Math.min(connections, 2) });
}
await new Promise((resolve) => setTimeout(resolve, 2500));
// A past that looks like one.
execFileSync('python3', ['-c', `
import sqlite3, datetime, math, random
random.seed(4)
db = sqlite3.connect(${JSON.stringify(join(panel.directory, 'panel.db'))}, timeout=20)
ids = [r[0] for r in db.execute("select id from users where username in ('alice','frank','carol')")]
columns = [r[1] for r in db.execute("pragma table_info(traffic_logs)")]
now = int(datetime.datetime.now().timestamp()) // 3600 * 3600
kind = db.execute("select typeof(recorded_at) from traffic_logs limit 1").fetchone()
db.execute('delete from traffic_logs')
db.execute('delete from traffic_totals')
for h in range(0, 24 * 75):
    at = now - h * 3600
    stamp = at if kind and kind[0] == 'integer' else datetime.datetime.fromtimestamp(at, datetime.timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ')
    sums = [0, 0]
    for i in ids:
        day = 1 + math.sin((at % 86400) / 86400 * 6.28 - 2)
        b = int(random.random() * day * 60e6 * (1.4 - h / 2400))
        db.execute("insert into traffic_logs (user_id, octets_from, octets_to, recorded_at) values (?,?,?,?)", (i, b // 8, b, stamp))
        sums[0] += b // 8; sums[1] += b
    db.execute("insert into traffic_totals (octets_from, octets_to, recorded_at) values (?,?,?)", (*sums, stamp))
db.commit()
`], { stdio: 'inherit' });

const browser = await launch();
const axe = axeSource();
const problems = [];

async function open({ theme = 'light', language = 'en', phone = false } = {}) {
  const context = await browser.newContext({
    viewport: phone ? { width: 390, height: 844 } : { width: 1360, height: 860 },
    colorScheme: theme,
    isMobile: phone,
    hasTouch: phone,
    locale: { en: 'en-GB', ru: 'ru-RU', fa: 'fa-IR' }[language],
  });
  const page = await context.newPage();
  page.on('console', (message) => {
    // A visitor without a session is told so by 401; the browser prints every such answer.
    if (message.type() === 'error' && !/401/.test(message.text())) problems.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => problems.push(`page: ${error}`));
  page.on('request', (request) => {
    if (!request.url().startsWith(new URL(panel.pages).origin) && !/^(data|blob):/.test(request.url())) problems.push(`foreign: ${request.url()}`);
  });
  return page;
}

async function shoot(page, name, { full = false } = {}) {
  await page.waitForTimeout(700);
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: full });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
  if (wide) problems.push(`${name}: scrolls sideways`);
  await page.evaluate(axe);
  // What a menu shows stands at the end of the document, outside of every landmark, and closes by itself.
  const { violations } = await page.evaluate(() =>
    window.axe.run({ rules: { region: { enabled: !document.querySelector('[role=menu]') } } }),
  );
  for (const { id, nodes } of violations) {
    problems.push(`${name}: axe ${id}: ${nodes.slice(0, 3).map((node) => `${node.target} ${node.any?.[0]?.message ?? ''}`).join(' | ')}`);
  }
}

async function logIn(page) {
  await page.goto(`${panel.pages}/`);
  await page.locator('input[name=username]').fill(ADMIN.username);
  await page.locator('input[name=password]').fill(ADMIN.password);
  await page.locator('button[type=submit]').click();
  await page.locator('nav').first().waitFor();
}

const go = async (page, path) => {
  await page.goto(`${panel.pages}${path}`);
  await page.locator('h1').waitFor();
  await page.waitForTimeout(500);
};

const variants = [
  { id: 'light-en' },
  { id: 'dark-en', theme: 'dark' },
  { id: 'light-ru', language: 'ru' },
  { id: 'dark-fa', theme: 'dark', language: 'fa' },
  { id: 'light-fa', language: 'fa' },
  { id: 'phone-en', phone: true },
  { id: 'phone-fa', phone: true, language: 'fa', theme: 'dark' },
].filter(({ id }) => !only || only.includes(id));

for (const variant of variants) {
  const page = await open(variant);
  await page.goto(`${panel.pages}/`);
  await page.locator('input[name=username]').waitFor();
  await shoot(page, `${variant.id}-login`);
  await logIn(page);
  await page.locator('h1').waitFor();
  await page.waitForTimeout(1200);
  await shoot(page, `${variant.id}-dashboard`, { full: true });
  await go(page, '/users?sort=-data_used');
  await shoot(page, `${variant.id}-users`);
  await page.locator('input[type=checkbox]').nth(2).click();
  await page.locator('button[aria-haspopup=menu]').last().scrollIntoViewIfNeeded();
  await shoot(page, `${variant.id}-users-bulk`);
  await go(page, '/users/alice');
  await page.waitForTimeout(800);
  await shoot(page, `${variant.id}-user`, { full: true });
  await go(page, '/new-user');
  await shoot(page, `${variant.id}-new`, { full: true });
  await page.locator('form button[aria-haspopup=dialog], form button[data-dates-input]').first().click();
  await shoot(page, `${variant.id}-picker`);
  await page.keyboard.press('Escape');
  await go(page, '/users?sort=-data_used&size=20');
  await page.locator('button[aria-label$=": frank"]').first().click();
  await shoot(page, `${variant.id}-qr`);
  await page.keyboard.press('Escape');
  await page.locator('li input[type=checkbox], tbody input[type=checkbox]').first().click();
  await page.locator('[role=region] button').nth(3).click();
  await shoot(page, `${variant.id}-bulk-days`);
  await go(page, '/users/dave-the-long-name-of-32-letters');
  await page.locator('button[aria-haspopup=menu]').last().click();
  await shoot(page, `${variant.id}-menu`);
  await page.locator('[role=menuitem]').last().click();
  await shoot(page, `${variant.id}-delete`);
  await go(page, '/admins');
  await shoot(page, `${variant.id}-admins`);
  await go(page, '/audit');
  await shoot(page, `${variant.id}-audit`);
  await go(page, '/settings');
  await shoot(page, `${variant.id}-settings`, { full: true });
  await page.keyboard.press('Control+k');
  await page.waitForTimeout(500);
  await shoot(page, `${variant.id}-palette`);
  await page.context().close();
  console.log(`${variant.id}: ${problems.length} problems so far`);
}

await browser.close();
await panel.stop();
proxy.stop();
panel.remove();
console.log(problems.length ? [...new Set(problems)].join('\n') : 'no problems');
process.exit(problems.length ? 1 : 0);
