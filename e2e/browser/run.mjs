// A run of journeys: one panel, one browser, the page under test, and the steps that all journeys share.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ADMIN, connect, launch, root, startPanel, startProxy, violations, watch } from './harness.mjs';

const HOUR = 3_600_000;
const folder = join(root, 'web/screenshots/journeys');

/** Fails the journey unless the condition holds. */
export function check(condition, what) {
  if (!condition) throw new Error(what);
}

/** Waits up to 15 s for a condition. */
export async function until(what, ready) {
  for (let n = 0; n < 150; n++) {
    if (await ready()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`timed out waiting for: ${what}`);
}

/** Starts a run; `options` are those of the browser's context. */
export async function startRun(options) {
  mkdirSync(folder, { recursive: true });
  const proxy = await startProxy();
  const panel = await startPanel(proxy, { BASE_PATH: '/panel' });
  const browser = await launch();
  const faults = [];
  let [passed, failed] = [0, 0];

  async function openPage(context) {
    context.setDefaultTimeout(20_000);
    return watch(await context.newPage(), panel, faults);
  }

  const context = await browser.newContext(options);
  // What each journey gets: the parts of the run, and short names for common steps.
  const s = {
    proxy,
    panel,
    browser,
    context,
    api: await connect(panel),
    page: await openPage(context),

    open: (path) => s.page.goto(`${panel.pages}${path}`),
    button: (name) => s.page.getByRole('button', { name, exact: true }),
    field: (name) => s.page.getByLabel(name, { exact: true }),
    dialog: () => s.page.getByRole('dialog'),
    row: (name) => s.page.getByRole('row').filter({ hasText: name }),
    heading: (name) => s.page.getByRole('heading', { name }),
    waitForText: (text) => s.page.getByText(text).first().waitFor(),

    async logIn({ username, password } = ADMIN) {
      await s.page.locator('input[name=username]').fill(username);
      await s.page.locator('input[name=password]').fill(password);
      await s.page.locator('button[type=submit]').click();
      await s.page.locator('main#content h1').waitFor();
    },

    shot: (name) => s.page.screenshot({ path: join(folder, `${name.replace(/\W+/g, '-')}.png`) }),

    /** Fails if axe finds something, or the page scrolls sideways. */
    async checkAccessibility(what) {
      const found = await violations(s.page);
      check(found.length === 0, `${what}: ${found.join('; ')}`);
    },

    /** Runs steps in another browser, which shares nothing with this one. */
    async inAnotherBrowser(name, options, steps) {
      const mine = s.page;
      const other = await browser.newContext({ locale: 'en-GB', ...options });
      s.page = await openPage(other);
      try {
        await steps(other);
      } finally {
        await s.shot(name).catch(() => {});
        await other.close();
        s.page = mine;
      }
    },

    /** Runs steps in another tab of the same browser. */
    async inAnotherTab(steps) {
      const mine = s.page;
      s.page = await openPage(context);
      try {
        await steps();
      } finally {
        await s.page.close();
        s.page = mine;
      }
    },

    /** Runs steps in another tab, whose clock they can set forward. It starts shortly before a full hour. */
    async inTabWithClock(name, steps) {
      await s.inAnotherTab(async () => {
        await s.page.clock.install({ time: Math.ceil(Date.now() / HOUR) * HOUR - 15_000 });
        await steps(s.page.clock).finally(() => s.shot(name).catch(() => {}));
      });
    },

    /** Runs one test and prints its result. */
    async journey(name, steps) {
      const before = faults.length;
      try {
        await steps();
        check(faults.length === before, faults.slice(before).join('; '));
        passed += 1;
        console.log(`ok    ${name}`);
      } catch (error) {
        failed += 1;
        console.log(`FAIL  ${name}: ${error.message.split('\n').slice(0, 6).join(' ')}`);
      }
      faults.length = 0;
      await s.shot(name).catch(() => {});
    },

    /** Stops everything and returns how many journeys failed. */
    async finish() {
      await browser.close();
      await panel.stop();
      proxy.stop();
      panel.remove();
      console.log(`${passed} journeys passed, ${failed} failed; look at web/screenshots/journeys`);
      return failed;
    },
  };
  return s;
}
