// Sample data as after some months of use: users in every state, and their traffic.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { connect, waitForScrape } from './harness.mjs';

const GiB = 1024 ** 3;
const days = (count) => new Date(Date.now() + count * 86_400_000).toISOString();

/** Name, fields, bytes of traffic, connections. */
const users = [
  ['alice', { data_limit: 50 * GiB, expire_at: days(24), max_connections: 8, max_unique_ips: 3, note: 'paid until January' }, 31 * GiB, 3],
  ['bob_marley', { data_limit: 10 * GiB, reset_strategy: 'monthly' }, 9.1 * GiB, 1],
  ['carol', { expire_at: days(2), max_connections: 4 }, 4.4 * GiB, 2],
  ['dave-the-long-name-of-32-letters', { data_limit: 5 * GiB, note: '<script>alert(1)</script> stays text' }, 5.2 * GiB, 0],
  ['erin', { expire_at: days(-3) }, 0.7 * GiB, 0],
  ['frank', {}, 120 * GiB, 6],
  ['grace', { note: 'Заметка по-русски' }, 0, 0],
  ['heidi', { data_limit: 1 * GiB }, 0.2 * GiB, 0],
];

/** Fills the panel with the users above, and with a past for the charts. */
export async function addSampleData(panel, proxy) {
  const api = await connect(panel);
  await api('POST', '/admins', { username: 'helper', password: 'another long password', is_sudo: false });
  for (const [username, limits] of users) await api('POST', '/users', { username, ...limits });
  await api('PUT', '/users/heidi', { status: 'disabled' });
  for (let n = 0; n < 60; n++) await api('POST', '/users', { username: `client${n}` });
  await waitForScrape(api);
  for (const [name, , bytes, connections] of users) {
    proxy.state.users.set(name, { from: Math.round(bytes * 0.12), to: Math.round(bytes * 0.88), connections, ips: Math.min(connections, 2) });
  }
  await waitForScrape(api);
  await panel.stop();
  execFileSync('python3', ['-c', PAST, join(panel.directory, 'panel.db')], { stdio: 'inherit' });
  await panel.start();
}

/** A script that writes 75 days of traffic into the database, more by day than by night. */
const PAST = `
import datetime, math, random, sqlite3, sys
random.seed(4)
db = sqlite3.connect(sys.argv[1])
ids = [row[0] for row in db.execute("select id from users where username in ('alice', 'frank', 'carol')")]
kind = db.execute("select typeof(recorded_at) from traffic_logs limit 1").fetchone()[0]
db.execute("delete from traffic_logs")
db.execute("delete from traffic_totals")
now = int(datetime.datetime.now().timestamp()) // 3600 * 3600
for hour in range(24 * 75):
    at = now - hour * 3600
    stamp = at if kind == 'integer' else datetime.datetime.fromtimestamp(at, datetime.timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ')
    sums = [0, 0]
    for user in ids:
        day = 1 + math.sin((at % 86400) / 86400 * 6.28 - 2)
        out = int(random.random() * day * 60e6 * (1.4 - hour / 2400))
        db.execute("insert into traffic_logs (user_id, octets_from, octets_to, recorded_at) values (?, ?, ?, ?)", (user, out // 8, out, stamp))
        sums[0] += out // 8
        sums[1] += out
    db.execute("insert into traffic_totals (octets_from, octets_to, recorded_at) values (?, ?, ?)", (*sums, stamp))
db.commit()
`;
