// What a first visit loads, compressed: node e2e/browser/size.mjs. Fails above the limit of the issue.
import { ADMIN, launch, startPanel, startProxy } from './harness.mjs';

const LIMIT = 200 * 1024;
const proxy = await startProxy();
const panel = await startPanel(proxy);
const browser = await launch();
const page = await browser.newPage();

const loaded = () =>
  page.evaluate(() => {
    const entries = performance.getEntriesByType('resource').filter(({ name }) => /\.(js|css)$/.test(name));
    if (location.search.includes('names')) console.log(entries.map((e) => `${e.encodedBodySize} ${e.name.split('/').pop()}`).join('\n'));
    return { files: entries.length, bytes: entries.reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0) };
  });

await page.goto(panel.pages);
await page.locator('input[name=username]').waitFor();
const login = await loaded();
await page.locator('input[name=username]').fill(ADMIN.username);
await page.locator('input[name=password]').fill(ADMIN.password);
await page.locator('button[type=submit]').click();
await page.locator('main#content h1').waitFor();
await page.waitForTimeout(1500);
const inside = await loaded();
await page.reload();
await page.locator('main#content h1').waitFor();
await page.waitForTimeout(1500);
const dashboard = await loaded();
await page.goto(`${panel.pages}/users`);
await page.locator('table, h2').first().waitFor();
await page.waitForTimeout(1000);
const users = await loaded();
const paint = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime);
console.log({ login, inside, dashboard, users, paint });
await browser.close();
await panel.stop();
proxy.stop();
panel.remove();
process.exit(Math.max(login.bytes, dashboard.bytes, users.bytes) > LIMIT ? 1 : 0);
