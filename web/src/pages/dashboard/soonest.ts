import type { Stats, User } from '~/api/client';

const WEEK = 7 * 86_400_000;
const NEARLY = 0.8;

export interface Soon {
  username: string;
  /** The end of his time; null if it is his traffic that ends. */
  expire_at: string | null;
  share: number;
}

/** Users whose time ends within a week, the next first, then those who have used most of their traffic. */
export function soonest(
  byExpiry: Pick<User, 'username' | 'expire_at'>[],
  traffic: Stats['user_traffic'],
  now: number,
): Soon[] {
  const ending = byExpiry
    .filter(({ expire_at }) => expire_at !== null && Date.parse(expire_at) <= now + WEEK)
    .map(({ username, expire_at }) => ({ username, expire_at, share: 0 }));
  const known = new Set(ending.map(({ username }) => username));
  const used = traffic
    .map(({ username, data_used, data_limit }) => ({
      username,
      expire_at: null,
      share: data_limit === null ? 0 : data_used / data_limit,
    }))
    .filter(({ username, share }) => share >= NEARLY && share < 1 && !known.has(username))
    .sort((a, b) => b.share - a.share);
  return [...ending, ...used];
}
