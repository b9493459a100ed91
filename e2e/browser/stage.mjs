// The stage on which journeys are played: one panel, one browser, the page in view, and what a journey does all the time.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ADMIN, connect, launch, root, startPanel, startProxy, violations, watch } from './harness.mjs';

const HOUR = 3_600_000;
const folder = join(root, 'web/screenshots/journeys');

export function check(condition, what) {
  if (!condition) throw new Error(what);
}

export async function until(what, ready) {
  for (let n = 0; n < 150; n++) {
    if (await ready()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`waited in vain: ${what}`);
}

export async function setStage(look) {
  mkdirSync(folder, { recursive: true });
  const proxy = await startProxy();
  const panel = await startPanel(proxy, { BASE_PATH: '/panel' });
  const browser = await launch();
  const faults = [];
  let [passed, failed] = [0, 0];

  async function visit(context) {
    context.setDefaultTimeout(20_000);
    return watch(await context.newPage(), panel, faults);
  }

  const context = await browser.newContext(look);
  const s = {
    proxy,
    panel,
    browser,
    context,
    api: await connect(panel),
    page: await visit(context),

    open: (path) => s.page.goto(`${panel.pages}${path}`),
    button: (name) => s.page.getByRole('button', { name, exact: true }),
    field: (name) => s.page.getByLabel(name, { exact: true }),
    dialog: () => s.page.getByRole('dialog'),
    row: (name) => s.page.getByRole('row').filter({ hasText: name }),
    heading: (name) => s.page.getByRole('heading', { name }),
    says: (text) => s.page.getByText(text).first().waitFor(),

    async logIn({ username, password } = ADMIN) {
      await s.page.locator('input[name=username]').fill(username);
      await s.page.locator('input[name=password]').fill(password);
      await s.page.locator('button[type=submit]').click();
      await s.page.locator('main#content h1').waitFor();
    },

    shot: (name) => s.page.screenshot({ path: join(folder, `${name.replace(/\W+/g, '-')}.png`) }),

    async clean(what) {
      const found = await violations(s.page);
      check(found.length === 0, `${what}: ${found.join('; ')}`);
    },

    /** Another browser, which sees and remembers nothing of this one. */
    async elsewhere(name, other, play) {
      const mine = s.page;
      const visited = await browser.newContext({ locale: 'en-GB', ...other });
      s.page = await visit(visited);
      try {
        await play(visited);
      } finally {
        await s.shot(name).catch(() => {});
        await visited.close();
        s.page = mine;
      }
    },

    /** Another tab of the same browser. */
    async besides(play) {
      const mine = s.page;
      s.page = await visit(context);
      try {
        await play();
      } finally {
        await s.page.close();
        s.page = mine;
      }
    },

    /** Another tab of the same browser, whose clock a journey can set forward. It stands shortly before a full hour. */
    async inAnotherTab(name, play) {
      await s.besides(async () => {
        await s.page.clock.install({ time: Math.ceil(Date.now() / HOUR) * HOUR - 15_000 });
        await play(s.page.clock).finally(() => s.shot(name).catch(() => {}));
      });
    },

    async journey(name, play) {
      const before = faults.length;
      try {
        await play();
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

    async strike() {
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
