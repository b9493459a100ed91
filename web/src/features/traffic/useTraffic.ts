import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { api, poll } from '~/api/client';
import { keys } from '~/api/keys';
import type { components } from '~/api/schema';
import type { HistoryQuery } from './history';

type Points = components['schemas']['Point'][];

interface Wanted<T> {
  /** What tells this question from others. */
  name: string;
  /** Of this user; of everybody if absent. */
  username?: string | undefined;
  query: (now: number) => HistoryQuery;
  read: (points: Points, now: number) => T;
  seconds: number;
}

/**
 * A history up to now. The time is worked out whenever it is asked for: as a part of the key it would make another
 * question of it at every full hour, which would be asked at once, also in a tab that nobody sees.
 */
export function useTraffic<T>({ name, username, query, read, seconds }: Wanted<T>) {
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
