// Takes a screenshot of every page in every language and theme, on a wide screen and on a phone, and runs axe on each:
// node e2e/browser/shots.mjs [folder]. Somebody has to look at them. ONLY=phone-fa takes one combination.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ADMIN, launch, root, settled, startPanel, startProxy, violations, watch } from './harness.mjs';
import { addSampleData } from './sample.mjs';

const folder = process.argv[2] ?? join(root, 'web/screenshots');
const only = process.env.ONLY?.split(',');
mkdirSync(folder, { recursive: true });
const proxy = await startProxy();
const panel = await startPanel(proxy);
await addSampleData(panel, proxy);
const browser = await launch();
const problems = [];

const LOCALES = { en: 'en-GB', ru: 'ru-RU', fa: 'fa-IR' };

/** All pages in one language, in one or both themes. */
async function shootAll(id, language, themes, phone) {
  const viewport = phone ? { width: 390, height: 844 } : { width: 1360, height: 860 };
  const context = await browser.newContext({
    viewport,
    colorScheme: themes[0],
    isMobile: phone,
    hasTouch: phone,
    locale: LOCALES[language],
    reducedMotion: 'reduce',
  });
  context.setDefaultTimeout(30_000);
  const faults = [];
  const page = await watch(await context.newPage(), panel, faults);

  async function shoot(name, full = false) {
    if (full) {
      await page.evaluate(() => (document.activeElement?.blur(), window.scrollTo(0, 0)));
      // As high as the page, so that what is fixed to the window's edge is at the page's edge.
      const height = await page.evaluate(() => document.documentElement.scrollHeight);
      await page.setViewportSize({ width: viewport.width, height: Math.max(height, viewport.height) });
    }
    for (const theme of themes) {
      await page.emulateMedia({ colorScheme: theme });
      await page.locator(`html[data-mantine-color-scheme=${theme}]`).waitFor({ state: 'attached' });
      const picture = `${phone ? 'phone-' : ''}${theme}-${language}-${name}`;
      for (const problem of await violations(page)) problems.push(`${picture}: ${problem}`);
      await page.screenshot({ path: join(folder, `${picture}.png`) });
    }
    await page.emulateMedia({ colorScheme: themes[0] });
    await page.setViewportSize(viewport);
  }
  async function go(path) {
    await page.goto(`${panel.pages}${path}`);
    await page.locator('main h1').waitFor();
    await settled(page);
  }

  await page.goto(`${panel.pages}/`);
  await page.locator('input[name=username]').waitFor();
  await shoot('login');
  await page.locator('input[name=username]').fill(ADMIN.username);
  await page.locator('input[name=password]').fill(ADMIN.password);
  await page.locator('button[type=submit]').click();
  await page.locator('[role=slider]').waitFor();
  await shoot('dashboard', true);
  await go('/users?sort=-data_used');
  await shoot('users');
  await page.locator('input[type=checkbox]').nth(2).click();
  await page.locator('[role=region]').first().waitFor();
  await shoot('users-bulk');
  if (phone) {
    await page.locator('[role=region] button[aria-haspopup=menu]').click();
    await page.locator('[role=menuitem]').nth(2).click();
  } else await page.locator('[role=region] button').nth(3).click();
  await page.locator('[role=dialog] button').nth(1).waitFor();
  await shoot('bulk-days');
  await page.keyboard.press('Escape');
  await go('/users?search=nobody-at-all');
  await shoot('users-none');
  await go('/users?sort=-data_used&size=20');
  await page.locator('button[aria-label$=": frank"]').first().click();
  await page.locator('[role=dialog] svg[role=img]').waitFor();
  await shoot('qr');
  await go('/users/alice');
  await page.locator('[role=slider]').waitFor();
  await shoot('user', true);
  await go('/new-user');
  await page.locator('form button[type=submit]').click();
  await shoot('new', true);
  await page.locator('form button[aria-haspopup=dialog], form button[data-dates-input]').first().click();
  await page.locator('[role=dialog] table').waitFor();
  await shoot('picker');
  await go('/users/dave-the-long-name-of-32-letters');
  await page.locator('button[aria-haspopup=menu]').last().click();
  await page.locator('[role=menuitem]').last().waitFor();
  await shoot('menu');
  await page.locator('[role=menuitem]').last().click();
  await page.locator('[role=dialog] button').nth(1).waitFor();
  await shoot('delete');
  await go('/admins');
  await shoot('admins');
  await go('/audit');
  await page.locator('details summary').first().click();
  await shoot('audit');
  await go('/settings');
  await shoot('settings', true);
  await page.keyboard.press('Control+k');
  await page.locator('[role=dialog] input').waitFor();
  await page.keyboard.type('a');
  await shoot('palette');
  await go('/no/such/page');
  await shoot('missing');
  await context.close();
  problems.push(...faults.map((fault) => `${id}: ${fault}`));
  console.log(`${id}: seen`);
}

const looks = [
  ...Object.keys(LOCALES).map((language) => ({ id: `screen-${language}`, language, themes: ['light', 'dark'], phone: false })),
  { id: 'phone-en', language: 'en', themes: ['dark'], phone: true },
  { id: 'phone-ru', language: 'ru', themes: ['light'], phone: true },
  { id: 'phone-fa', language: 'fa', themes: ['light'], phone: true },
].filter(({ id }) => !only || only.includes(id));

const began = Date.now();
// Two at once, because each often waits for the panel.
const worker = async () => {
  for (let next = looks.shift(); next; next = looks.shift()) {
    const { id, language, themes, phone } = next;
    await shootAll(id, language, themes, phone).catch((error) => problems.push(`${id}: ${error.message}`));
  }
};
await Promise.all([worker(), worker()]);

await browser.close();
await panel.stop();
proxy.stop();
panel.remove();
console.log(problems.length ? [...new Set(problems)].join('\n') : 'axe finds nothing, no error, nothing leaves the origin');
console.log(`${Math.round((Date.now() - began) / 1000)} s; look at ${folder}`);
process.exit(problems.length ? 1 : 0);
