import { expect, it } from 'vitest';
import { soonest } from './soonest';

const now = Date.parse('2026-11-23T12:00:00Z');
const traffic = (username: string, data_used: number, data_limit: number | null) => ({
  username,
  data_used,
  data_limit,
  connections: 0,
  unique_ips: 0,
});

it('shows whose time ends within a week, then whose traffic nearly has', () => {
  const users = [
    { username: 'near', expire_at: '2026-11-24T12:00:00Z' },
    { username: 'far', expire_at: '2026-12-24T12:00:00Z' },
    { username: 'endless', expire_at: null },
  ];
  const used = [
    traffic('most', 90, 100),
    traffic('some', 50, 100),
    traffic('all', 100, 100),
    traffic('free', 9, null),
    traffic('near', 99, 100),
  ];
  expect(soonest(users, used, now).map(({ username }) => username)).toEqual(['near', 'most']);
});
