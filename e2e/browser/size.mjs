// What a visit loads until the page can be used, in gzip: node e2e/browser/size.mjs. Fails above the limit of the issue.
import { request } from 'node:http';
import { ADMIN, launch, settled, startPanel, startProxy } from './harness.mjs';
import { furnish } from './scene.mjs';

const LIMIT = 200 * 1024;
const proxy = await startProxy();
const panel = await startPanel(proxy);
// With users and traffic, because an empty panel loads less.
await furnish(panel, proxy);
const browser = await launch();

/** What a browser that knows no better compression is sent for it. */
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

/** Script and style of a visit, from the address to the last figure on the page. */
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

// Where a visit begins; a form has its calendar besides, which is shown and not judged.
const pages = [
  ['/users', 'input[name=username]', true],
  ['/', '[role=slider]', true],
  ['/users', 'tbody tr', true],
  ['/users/alice', '[role=slider]', true],
  ['/settings', 'main dl', true],
  ['/new-user', 'form', false],
];
let cookies = [];
const seen = [];
for (const [path, ready, isJudged] of pages) {
  const { files, bytes, cookies: fresh } = await visit(path, ready, cookies);
  const isLogin = cookies.length === 0;
  // Each visit renews the cookie.
  cookies = isLogin ? await logIn() : fresh;
  seen.push({ page: isLogin ? 'login' : path, files, KiB: Math.round(bytes / 102.4) / 10, fits: isJudged ? bytes <= LIMIT : 'not judged' });
}
console.table(seen);
await browser.close();
await panel.stop();
proxy.stop();
panel.remove();
process.exit(seen.some(({ fits }) => fits === false) ? 1 : 0);
