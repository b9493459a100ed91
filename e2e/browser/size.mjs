// Measures the gzip size of what a first visit loads until the page can be used: node e2e/browser/size.mjs. Fails above LIMIT.
import { request } from 'node:http';
import { ADMIN, launch, settled, startPanel, startProxy } from './harness.mjs';
import { addSampleData } from './sample.mjs';

/** The most bytes of a first visit. */
const LIMIT = 200_000;
const proxy = await startProxy();
const panel = await startPanel(proxy);
// With sample data, because an empty panel loads less.
await addSampleData(panel, proxy);
const browser = await launch();

/** The size of the answer to a browser that accepts only gzip. */
const weigh = (url) =>
  new Promise((resolve, reject) => {
    request(url, { headers: { 'accept-encoding': 'gzip' } }, (response) => {
      let bytes = 0;
      response.on('data', (chunk) => (bytes += chunk.length));
      response.on('end', () =>
        response.headers['content-encoding'] === 'gzip' || bytes < 1024 ? resolve(bytes) : reject(new Error(`${url} is not compressed`)),
      );
    })
      .on('error', reject)
      .end();
  });

/** Size of scripts and styles of a visit, from the navigation until everything is shown. */
async function visit(path, ready, cookies) {
  const context = await browser.newContext();
  await context.addCookies(cookies);
  const page = await context.newPage();
  await page.goto(`${panel.pages}${path}`);
  await page.locator(ready).first().waitFor();
  await settled(page);
  const urls = await page.evaluate(() =>
    performance.getEntriesByType('resource').flatMap(({ name }) => (/\.(js|css)$/.test(name) ? [name] : [])),
  );
  const kept = await context.cookies();
  await context.close();
  const sizes = await Promise.all(urls.map(weigh));
  return { files: urls.length, bytes: sizes.reduce((sum, size) => sum + size, 0), cookies: kept };
}

async function logIn() {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(panel.pages);
  await page.locator('input[name=username]').fill(ADMIN.username);
  await page.locator('input[name=password]').fill(ADMIN.password);
  await page.locator('button[type=submit]').click();
  await page.locator('main#content').waitFor();
  return context.cookies();
}

// Path of each page, and the element that shows that it can be used.
const pages = [
  ['/users', 'input[name=username]'],
  ['/', '[role=slider]'],
  ['/users', 'tbody tr'],
  ['/users/alice', '[role=slider]'],
  ['/new-user', 'form'],
  ['/users/alice/edit', 'form'],
  ['/admins', 'main h1'],
  ['/audit', 'main ol li'],
  ['/settings', 'main dl'],
];
let cookies = [];
const seen = [];
for (const [path, ready] of pages) {
  const { files, bytes, cookies: fresh } = await visit(path, ready, cookies);
  const isLogin = cookies.length === 0;
  // Each visit replaces the cookie.
  cookies = isLogin ? await logIn() : fresh;
  seen.push({ page: isLogin ? 'login' : path, files, KB: Math.round(bytes / 100) / 10, fits: bytes <= LIMIT });
}
console.table(seen);
await browser.close();
await panel.stop();
proxy.stop();
panel.remove();
process.exit(seen.some(({ fits }) => !fits) ? 1 : 0);
