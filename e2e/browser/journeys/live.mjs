import { waitForScrape } from '../harness.mjs';
import { check, until } from '../run.mjs';

const GiB = 1024 ** 3;

/** A size as the pages show it. */
const gibibytes = (bytes) => {
  const size = bytes / GiB;
  return `${new Intl.NumberFormat('en-GB', { maximumFractionDigits: size >= 100 ? 0 : size >= 10 ? 1 : 2 }).format(size)} GiB`;
};

const aliceMoves = (s, bytes) => s.proxy.state.users.set('alice', { from: bytes, to: bytes * 2, connections: 3, ips: 2 });

/** Makes the tab 'hidden' or 'visible'. */
const setVisibility = (s, state) =>
  s.page.evaluate((state) => {
    Object.defineProperty(document, 'visibilityState', { value: state, configurable: true });
    document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
  }, state);

/** Records requests inside the page from now on, because events of the browser may arrive late. */
const countRequests = (s) =>
  s.page.evaluate(() => {
    const { fetch } = window;
    window.asked = [];
    window.fetch = (request, ...rest) => {
      window.asked.push(request.url ?? String(request));
      return fetch(request, ...rest);
    };
  });

/** Values that change while a page is open. */
export async function live(s) {
  await s.journey('live values, proxy down and up again', async () => {
    aliceMoves(s, 5 * 1024 ** 2);
    await s.open('/');
    await s.waitForText('Running');
    await s.page.getByText('Online now').locator('xpath=../..').getByText('alice').waitFor({ timeout: 40_000 });
    s.proxy.state.up = false;
    try {
      await s.page.getByText('Does not answer').waitFor({ timeout: 40_000 });
      await s.waitForText(/Last answer/);
      await s.checkAccessibility('without a proxy');
      await s.shot('proxy down');
    } finally {
      s.proxy.state.up = true;
    }
    await s.page.getByText('Running').waitFor({ timeout: 40_000 });
  });

  await s.journey('a page says that its data could not be updated', async () => {
    // Also if it is only a part of the page's data.
    for (const path of ['**/api/system/stats', '**/api/system/traffic?*', '**/api/system/soon']) {
      await s.page.route(path, (route) => route.abort());
      await s.button('Refresh').click();
      await s.page.getByText(/Could not be updated\. Shown as of/).waitFor({ timeout: 25_000 });
      await s.checkAccessibility(`stale ${path}`);
      await s.shot('stale data');
      await s.page.unroute(path);
      await s.button('Refresh').click();
      await s.page.getByText(/^Updated/).waitFor();
    }
  });

  await s.journey('the chart shows its values by keyboard', async () => {
    const chart = s.page.getByRole('slider', { name: 'Traffic over time' });
    await chart.focus();
    await s.page.keyboard.press('ArrowLeft');
    await s.page.keyboard.press('End');
    await chart.getByText('To clients').waitFor();
    check(/To clients [\d.]+ MiB/.test(await chart.getAttribute('aria-valuetext')), await chart.getAttribute('aria-valuetext'));
    await s.checkAccessibility('chart');
    await s.shot('chart by keyboard');
    await s.page.keyboard.press('Home');
    check(/To clients 0 B/.test(await chart.getAttribute('aria-valuetext')), 'traffic a day ago');
    await chart.blur();
    await chart.getByText('To clients').waitFor({ state: 'hidden' });
  });

  await s.journey('nothing moves when values change', async () => {
    let moved = GiB;
    await s.inTabWithClock('values after a change', async (clock) => {
      for (const [path, loaded] of [['/', 'Run out soon'], ['/users?sort=-data_used', 'alice'], ['/users/alice', 'Total']]) {
        await s.open(path);
        await s.waitForText(new RegExp(loaded));
        await s.page.locator('[class*=Skeleton]').first().waitFor({ state: 'detached' });
        await s.page.evaluate(() => {
          window.shifts = [];
          new PerformanceObserver((list) => {
            for (const { value, sources } of list.getEntries()) {
              window.shifts.push({ value, what: sources.map(({ node }) => node?.className || node?.nodeName).join(', ') });
            }
          }).observe({ type: 'layout-shift' });
        });
        // One more digit, then two.
        for (const size of [1, 10, 60]) {
          aliceMoves(s, (moved += size * GiB));
          await waitForScrape(s.api);
          const used = gibibytes((await s.api('GET', '/users/alice')).data_used);
          await until(used, async () => (await clock.runFor(5_000), s.page.getByText(used).first().isVisible()));
        }
        const shifts = await s.page.evaluate(() => window.shifts);
        const sum = shifts.reduce((sum, { value }) => sum + value, 0);
        check(sum < 0.001, `${path} shifts by ${sum}: ${JSON.stringify(shifts.slice(0, 5))}`);
      }
    });
  });

  await s.journey('an unchanged answer is sent once, and a hidden tab sends no request', async () => {
    await s.inTabWithClock('a hidden tab', async (clock) => {
      const seen = [];
      s.page.on('response', (response) => /\/api\/(system|users)/.test(response.url()) && seen.push(response.status()));
      await s.open('/');
      await s.waitForText(/^Updated/);
      await until('an answer without a body', async () => (await clock.runFor(16_000), seen.includes(304)));
      check(!seen.some((status) => status >= 400), `answers ${seen}`);

      await setVisibility(s, 'hidden');
      await countRequests(s);
      await clock.runFor(300_000);
      const asked = await s.page.evaluate(() => window.asked);
      check(asked.length === 0, `a hidden tab requested ${asked}`);
      await s.page.getByText(/^Updated 5 minutes ago/).waitFor();
      const fresh = s.page.waitForResponse(/system\/stats/);
      await setVisibility(s, 'visible');
      await fresh;
      await s.page.getByText(/^Updated (now|\d seconds? ago)/).waitFor();
    });
  });

  await s.journey('a panel that is down leaves the page as it is', async () => {
    await s.inAnotherBrowser('the panel is back', { viewport: { width: 1280, height: 800 } }, async () => {
      await s.open('/users/alice');
      await s.logIn();
      await s.heading('alice').waitFor();
      await s.panel.stop();
      // The menu is not loaded yet.
      await s.button('Actions for alice').click();
      await s.page.getByText('This part of the page could not be loaded').waitFor();
      await s.heading('alice').waitFor();
      await s.checkAccessibility('a part is missing');
      await s.shot('a part is missing');
      await s.panel.start();
      await s.button('Try again').click();
      await s.page.getByRole('menuitem', { name: 'Copy link' }).waitFor();
      check((await s.page.getByText('could not be loaded').count()) === 0, 'the error is still shown');
    });
  });
}
