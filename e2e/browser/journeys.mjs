// The journeys of an operator, in a real browser over the real binary: node e2e/browser/journeys.mjs
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ADMIN, axeSource, connect, launch, readQr, root, startPanel, startProxy } from './harness.mjs';

const folder = join(root, 'web/screenshots/journeys');
mkdirSync(folder, { recursive: true });

const proxy = await startProxy();
const panel = await startPanel(proxy, { BASE_PATH: '/panel' });
const api = await connect(panel);
const browser = await launch();
const axe = axeSource();
const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-GB', timezoneId: 'Asia/Tehran', acceptDownloads: true });
context.setDefaultTimeout(15_000);
const faults = [];
let page = await watch(await context.newPage());

async function watch(tab) {
  tab.on('console', (message) => {
    if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) faults.push(`console: ${message.text()}`);
  });
  tab.on('pageerror', (error) => faults.push(`page: ${error.message}`));
  tab.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(new URL(panel.pages).origin) && !/^(data|blob):/.test(url)) faults.push(`leaves the origin: ${url}`);
  });
  return tab;
}

function check(condition, what) {
  if (!condition) throw new Error(what);
}

let passed = 0;
let failed = 0;
async function journey(name, run) {
  const before = faults.length;
  try {
    await run();
    check(faults.length === before, faults.slice(before).join('; '));
    passed += 1;
    console.log(`ok    ${name}`);
  } catch (error) {
    failed += 1;
    faults.length = 0;
    console.log(`FAIL  ${name}: ${error.message.split('\n').slice(0, 6).join(' ')}`);
  }
  await page.screenshot({ path: join(folder, `${name.replace(/\W+/g, '-')}.png`) }).catch(() => {});
}

const button = (name) => page.getByRole('button', { name, exact: true });
const field = (name) => page.getByLabel(name, { exact: true });
const dialog = () => page.getByRole('dialog');
const open = (path) => page.goto(`${panel.pages}${path}`);
const row = (name) => page.getByRole('row').filter({ hasText: name });
const until = async (what, ready) => {
  for (let n = 0; n < 100; n++) {
    if (await ready()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`waited in vain: ${what}`);
};

async function logIn({ username, password } = ADMIN) {
  await page.locator('input[name=username]').fill(username);
  await page.locator('input[name=password]').fill(password);
  await page.locator('button[type=submit]').click();
  await page.locator('main#content h1').waitFor();
}

await journey('first login', async () => {
  await open('/users/nobody');
  await page.locator('input[name=username]').fill(ADMIN.username);
  await page.locator('input[name=password]').fill('something wrong');
  await page.locator('button[type=submit]').click();
  await page.getByText('Wrong name or password.').waitFor();
  await page.locator('input[name=password]').fill(ADMIN.password);
  await page.locator('button[type=submit]').click();
  // He comes out where he wanted to go.
  await page.getByText('There is no such user').waitFor();
  const stored = await page.evaluate(() => JSON.stringify([localStorage, sessionStorage, document.cookie]));
  check(!/eyJ/.test(stored), 'a token is stored where scripts read it');
  await open('/');
  await page.getByText('Create the first user').waitFor();
});

await journey('create with every limit', async () => {
  await page.keyboard.press('n');
  await page.getByRole('heading', { name: 'New user' }).waitFor();
  await button('Create').click();
  await page.getByText('Fill this in.').waitFor();
  await field('Name').fill('scope_x');
  await button('Create').click();
  await page.getByText('This name is reserved.').waitFor();
  await field('Name').fill('alice');
  await field('Traffic limit').fill('1.5');
  await button('+30 d').click();
  await field('Connections at once').fill('8');
  await field('Addresses at once').fill('3');
  await field('Reset usage').selectOption('monthly');
  await field('Note').fill('<script>alert(1)</script><b>bold</b>');
  await button('Create').click();
  await page.getByRole('heading', { name: 'alice' }).waitFor();
  await page.getByText('<script>alert(1)</script><b>bold</b>').first().waitFor();
  const alice = await api('GET', '/users/alice');
  check(alice.data_limit === 1.5 * 1024 ** 3, `limit ${alice.data_limit}`);
  check(alice.max_connections === 8 && alice.max_unique_ips === 3 && alice.reset_strategy === 'monthly', 'limits');
  const days = (Date.parse(alice.expire_at) - Date.now()) / 86_400_000;
  check(days > 29.9 && days <= 30.1, `ends in ${days} days`);
});

await journey('QR decodes to the link', async () => {
  const { proxy_links } = await api('GET', '/users/alice');
  const code = page.getByRole('img', { name: 'QR code of the link of alice' });
  const picture = await code.screenshot();
  const text = await page.evaluate(async (base64) => {
    const bitmap = await createImageBitmap(new Blob([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))]));
    const canvas = new OffscreenCanvas(bitmap.width * 2, bitmap.height * 2);
    const drawing = canvas.getContext('2d');
    drawing.imageSmoothingEnabled = false;
    drawing.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    const { data, width, height } = drawing.getImageData(0, 0, canvas.width, canvas.height);
    return { data: Array.from(data), width, height };
  }, picture.toString('base64'));
  const found = readQr()(Uint8ClampedArray.from(text.data), text.width, text.height);
  check(found?.data === proxy_links.tg_link, `the code says ${found?.data}`);
  for (const format of ['PNG', 'SVG']) {
    const [file] = await Promise.all([page.waitForEvent('download'), button(`Download the QR code as ${format}`).click()]);
    check(file.suggestedFilename() === `alice.${format.toLowerCase()}`, file.suggestedFilename());
    check(readFileSync(await file.path()).length > 500, `${format} is empty`);
  }
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await button('Copy link').click();
  await page.getByText('Copied').waitFor();
  check((await page.evaluate(() => navigator.clipboard.readText())) === proxy_links.https_link, 'clipboard');
});

await journey('edit and clear a limit', async () => {
  const before = await api('GET', '/users/alice');
  await open('/users/alice/edit');
  await field('Traffic limit').fill('');
  await button('Save').click();
  await page.getByText('alice is saved.').waitFor();
  const after = await api('GET', '/users/alice');
  check(after.data_limit === null, 'the limit is still there');
  for (const name of ['expire_at', 'max_connections', 'max_unique_ips', 'note', 'reset_strategy']) {
    check(before[name] === after[name], `${name} moved from ${before[name]} to ${after[name]}`);
  }
  await open('/users/alice/edit');
  await field('Note').fill('not to be lost');
  await page.getByRole('link', { name: 'Dashboard' }).click();
  await page.getByText('Leave without saving?').waitFor();
  await button('Stay').click();
  check((await field('Note').inputValue()) === 'not to be lost', 'the note is lost');
  await button('Cancel').click();
  await button('Leave').click();
  await page.getByRole('heading', { name: 'alice' }).waitFor();
});

await journey('errors of the server at their fields', async () => {
  await open('/new-user');
  await field('Name').fill('ALICE');
  await button('Create').click();
  await page.getByText('This name is taken.').waitFor();
  await page.route('**/api/users', (route) =>
    route.fulfill({
      status: 422,
      contentType: 'application/problem+json',
      body: JSON.stringify({ type: 'x', title: 'x', status: 422, detail: 'x', code: 'invalid', errors: [{ field: 'max_unique_ips', message: 'must be even today' }] }),
    }),
  );
  await field('Name').fill('another');
  await button('Create').click();
  await page.getByText('must be even today').waitFor();
  check((await field('Addresses at once').getAttribute('aria-invalid')) === 'true', 'not at its field');
  await page.unroute('**/api/users');
  await button('Cancel').click();
  await button('Leave').click();
});

await journey('search and filter kept over reload', async () => {
  for (let n = 0; n < 30; n++) await api('POST', '/users', { username: `client${n}`, ...(n % 2 ? { expire_at: '2020-01-01T00:00:00Z' } : {}) });
  await open('/users');
  await row('client29').waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('client1');
  await page.getByRole('button', { name: /^Expired/ }).click();
  await row('client11').waitFor();
  await until('only those who match', async () => (await page.getByRole('row').count()) === 7);
  check(page.url().includes('search=client1') && page.url().includes('status=expired'), page.url());
  await page.reload();
  await row('client11').waitFor();
  check((await page.getByRole('row').count()) === 7, 'the filter is gone');
  check((await page.getByRole('searchbox').inputValue()) === 'client1', 'the search is gone');
  await page.getByRole('searchbox').fill('nobody at all');
  await button('Clear search and filter').click();
  await row('alice').waitFor();
  await page.getByLabel('Rows per page').selectOption('20');
  await button('Next page').click();
  await until('page 2', async () => /page=2/.test(page.url()));
  await page.reload();
  await page.getByText('21–31 of 31').waitFor();
});

await journey('bulk disable and enable', async () => {
  await open('/users?sort=username&search=client2');
  await row('client20').waitFor();
  await field('Select client20').check();
  await field('Select client22').check();
  await page.getByText('2 selected').waitFor();
  await button('Disable').click();
  await dialog().getByText('2 of 2 will change.').waitFor();
  await dialog().getByRole('button', { name: 'Disable' }).click();
  await page.getByText('2 users changed.').waitFor();
  await row('client20').getByText('Disabled').waitFor();
  await field('Select client20').check();
  await page.getByRole('button', { name: /^Select all 11 that match/ }).click();
  await button('Enable').click();
  await dialog().getByText('2 of 11 will change.').waitFor();
  await dialog().getByRole('button', { name: 'Enable' }).click();
  await row('client22').getByText('Active').waitFor();
});

await journey('regenerate with a warning', async () => {
  const before = await api('GET', '/users/alice/links');
  await open('/users/alice');
  await button('Actions for alice').click();
  await page.getByRole('menuitem', { name: 'New secret' }).click();
  await dialog().getByText('The old link and QR code stop working').waitFor();
  await dialog().getByRole('button', { name: 'New secret' }).click();
  await page.getByText('alice has a new secret.').waitFor();
  const after = await api('GET', '/users/alice/links');
  check(before.tg_link !== after.tg_link, 'the link is the same');
  await page.getByText(after.tg_link).waitFor();
});

await journey('delete names its object and asks', async () => {
  await open('/users/client0');
  await button('Actions for client0').click();
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  await dialog().getByText('Delete client0?').waitFor();
  await page.keyboard.press('Escape');
  await dialog().waitFor({ state: 'hidden' });
  check((await api('GET', '/users/client0')).username === 'client0', 'Escape deleted him');
  await button('Actions for client0').click();
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  await dialog().getByRole('button', { name: 'Delete' }).click();
  await page.getByText('client0 is deleted.').waitFor();
  await page.getByRole('heading', { name: 'Users' }).waitFor();
  check((await api('GET', '/users?search=client0')).total === 0, 'he is still there');
});

await journey('palette', async () => {
  await open('/');
  await page.locator('main#content h1').waitFor();
  await page.keyboard.press('Control+k');
  await page.getByPlaceholder('User or command…').fill('alic');
  await dialog().getByText('alice').waitFor();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'alice' }).waitFor();
});

await journey('live figures, proxy down and back', async () => {
  proxy.state.users.set('alice', { from: 5 * 1024 ** 2, to: 7 * 1024 ** 2, connections: 3, ips: 2 });
  await open('/');
  await page.getByText('Running').waitFor();
  await until('alice online', async () => (await page.getByText('Online now').locator('xpath=../..').getByText('alice').count()) > 0 || (await page.getByRole('button', { name: 'Refresh' }).click(), false));
  proxy.state.up = false;
  await page.getByText('Does not answer').waitFor({ timeout: 25_000 });
  await page.getByText(/Last answer/).waitFor();
  proxy.state.up = true;
  await page.getByText('Running').waitFor({ timeout: 25_000 });
});

await journey('stale figures say so', async () => {
  await page.route('**/api/system/stats', (route) => route.abort());
  await button('Refresh').click();
  await page.getByText(/Could not be updated\. Shown as of/).waitFor({ timeout: 25_000 });
  await page.unroute('**/api/system/stats');
  await button('Refresh').click();
  await page.getByText(/^Updated/).waitFor();
});

await journey('a session that ends in a form loses nothing', async () => {
  await open('/new-user');
  await field('Name').fill('patient');
  await field('Note').fill('typed before the end');
  await api('DELETE', '/admin/sessions');
  await button('Create').click();
  await dialog().getByText('Your session has ended').waitFor();
  await dialog().getByLabel('Password (admin)').fill('wrong again and again');
  await dialog().getByRole('button', { name: 'Log in', exact: true }).click();
  await dialog().getByText('Wrong name or password.').waitFor();
  await dialog().getByLabel('Password (admin)').fill(ADMIN.password);
  await dialog().getByRole('button', { name: 'Log in', exact: true }).click();
  await page.getByRole('heading', { name: 'patient' }).waitFor();
  await page.getByText('typed before the end').first().waitFor();
});

await journey('second admin with his own users only', async () => {
  await open('/admins');
  await button('New administrator').click();
  await dialog().getByLabel('Name').fill('helper');
  await dialog().getByRole('button', { name: 'Generate' }).click();
  const password = await dialog().getByLabel('New password').inputValue();
  await dialog().getByRole('button', { name: 'Create' }).click();
  await page.getByText('helper is created.').waitFor();
  const helper = await connect(panel, { username: 'helper', password });
  await helper('POST', '/users', { username: 'helpers_own' });
  const other = await browser.newContext({ locale: 'en-GB', viewport: { width: 1280, height: 800 } });
  const mine = page;
  page = await watch(await other.newPage());
  try {
    await open('/users');
    await logIn({ username: 'helper', password });
    await row('helpers_own').waitFor();
    check((await page.getByRole('row').count()) === 2, 'he sees the users of others');
    check((await page.getByRole('link', { name: 'Administrators' }).count()) === 0, 'he is shown the administrators');
    await open('/admins');
    await page.getByText('For sudo administrators only').waitFor();
    await open('/users/alice');
    await page.getByText('There is no such user').waitFor();
    await open('/settings');
    await field('New password').fill('my very own password');
    await button('Change password').click();
    await page.getByText('Your password is changed.').waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'Settings' }).waitFor();
    await button('Log out here').click();
    await page.locator('input[name=username]').waitFor();
    await page.reload();
    await page.locator('input[name=username]').waitFor();
  } finally {
    await page.screenshot({ path: join(folder, 'second-admin-own-view.png') });
    await other.close();
    page = mine;
  }
});

await journey('languages, direction and theme are remembered', async () => {
  await open('/settings');
  await page.getByLabel('Language').selectOption('fa');
  await page.getByRole('heading', { name: 'تنظیمات' }).waitFor();
  check((await page.locator('html').getAttribute('dir')) === 'rtl', 'not from right to left');
  await page.getByText('تیره', { exact: true }).click();
  await page.reload();
  await page.getByRole('heading', { name: 'تنظیمات' }).waitFor();
  check((await page.locator('html').getAttribute('data-mantine-color-scheme')) === 'dark', 'not dark');
  await page.locator('select').first().selectOption('ru');
  await page.getByRole('heading', { name: 'Настройки' }).waitFor();
  await page.locator('select').first().selectOption('en');
});

await journey('axe finds nothing in a dialog or a form', async () => {
  const clean = async (what) => {
    await page.waitForTimeout(400);
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => window.axe.run());
    check(violations.length === 0, `${what}: ${violations.map(({ id, nodes }) => `${id} ${nodes[0].target}`).join('; ')}`);
  };
  await open('/users/alice/edit');
  await field('Traffic limit').waitFor();
  await clean('edit');
  await open('/users');
  await button('Link and QR code: alice').click();
  await dialog().getByText('Web address').waitFor();
  await clean('QR');
  await open('/admins');
  await button('New administrator').click();
  await dialog().getByLabel('New password').waitFor();
  await clean('new administrator');
});

await journey('too many attempts tell how long to wait', async () => {
  const other = await browser.newContext({ locale: 'en-GB' });
  const mine = page;
  page = await watch(await other.newPage());
  try {
    await open('/');
    for (let n = 0; n < 12 && (await page.getByText(/Too many attempts/).count()) === 0; n++) {
      await page.locator('input[name=username]').fill('intruder');
      await page.locator('input[name=password]').fill('guess number one');
      await page.locator('button[type=submit]').click();
      await page.locator('[role=alert]').waitFor();
      await page.waitForTimeout(300);
      await page.locator('button[type=submit]:not([data-loading])').waitFor();
    }
    await page.getByText(/Too many attempts\. Try again in \d+ s\./).waitFor();
    check(await page.locator('button[type=submit]').isDisabled(), 'he may go on');
  } finally {
    await page.screenshot({ path: join(folder, 'too-many-attempts-view.png') });
    await other.close();
    page = mine;
  }
});

await browser.close();
await panel.stop();
proxy.stop();
panel.remove();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
