// End-to-end tests of the web interface in Chromium with the real program: node e2e/browser/journeys.mjs
import { lists } from './journeys/lists.mjs';
import { live } from './journeys/live.mjs';
import { looks } from './journeys/looks.mjs';
import { sessions } from './journeys/sessions.mjs';
import { users } from './journeys/users.mjs';
import { startRun } from './run.mjs';

const s = await startRun({
  viewport: { width: 1280, height: 800 },
  locale: 'en-GB',
  timezoneId: 'Asia/Tehran',
  acceptDownloads: true,
});
// In this order: each group continues with the data of the one before.
for (const group of [users, lists, live, looks, sessions]) await group(s);
process.exit((await s.finish()) ? 1 : 0);
