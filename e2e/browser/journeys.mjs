// The journeys of an operator, in a real browser over the real binary: node e2e/browser/journeys.mjs
import { lists } from './journeys/lists.mjs';
import { live } from './journeys/live.mjs';
import { looks } from './journeys/looks.mjs';
import { sessions } from './journeys/sessions.mjs';
import { users } from './journeys/users.mjs';
import { setStage } from './stage.mjs';

const s = await setStage({
  viewport: { width: 1280, height: 800 },
  locale: 'en-GB',
  timezoneId: 'Asia/Tehran',
  acceptDownloads: true,
});
// Each goes on where the one before it ended.
for (const play of [users, lists, live, looks, sessions]) await play(s);
process.exit((await s.strike()) ? 1 : 0);
