import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { api, poll } from '~/api/client';
import { keys } from '~/api/keys';
import type { components } from '~/api/schema';
import type { HistoryQuery } from './history';

type Points = components['schemas']['Point'][];

interface TrafficOptions<T> {
  /** Distinguishes this query from others of the same user. */
  name: string;
  /** The user; all users if absent. */
  username?: string | undefined;
  query: (now: number) => HistoryQuery;
  /** Turns the answer into what the page shows. */
  read: (points: Points, now: number) => T;
  /** Polled every so many seconds. */
  seconds: number;
}

/**
 * The traffic history up to now. The time is not a part of the key, but computed at each request: a key that changes at
 * every full hour would start a new query at once, also in a hidden tab.
 */
export function useTraffic<T>({ name, username, query, read, seconds }: TrafficOptions<T>) {
  return useQuery({
    queryKey: keys.traffic(name, username),
    queryFn: async ({ signal }) => {
      const now = Date.now();
      const params = { query: query(now) };
      const { data } =
        username === undefined
          ? await api.GET('/api/system/traffic', { params, signal })
          : await api.GET('/api/users/{username}/traffic', {
              params: { ...params, path: { username } },
              signal,
            });
      return read(data?.points ?? [], now);
    },
    placeholderData: keepPreviousData,
    ...poll(seconds),
  });
}
