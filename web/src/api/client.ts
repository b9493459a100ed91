import { QueryClient } from '@tanstack/react-query';
import createClient from 'openapi-fetch';
import createQueries from 'openapi-react-query';
import { base } from '~/lib/base';
import { conditional } from './etag';
import { isTemporary } from './problem';
import type { components, paths } from './schema';

type Schemas = components['schemas'];
export type User = Schemas['UserBody'];
export type LinkedUser = Schemas['LinkedUser'];
export type Stats = Schemas['StatsBody'];
export type Soon = Schemas['SoonBody'];
export type Point = Schemas['Point'];
export type AuditEntry = Schemas['AuditEntry'];
export type ConfigSync = Schemas['ConfigSyncBody'];
export type BulkAction = Schemas['BulkAction'];
export type NewUser = Schemas['NewUserBody'];
export type UserPatch = Schemas['UserPatchBody'];

export const api = createClient<paths>({ baseUrl: base, fetch: conditional });

/** The same as hooks. */
export const $api = createQueries(api);

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      retry: (failures, error) => failures < 2 && isTemporary(error),
      staleTime: 5_000,
    },
  },
});

/** Every browser at its own pace, so that those which lost the panel together do not come back together. */
const PACE = 0.9 + Math.random() * 0.2;

/**
 * How often a page asks again. A tab that nobody sees does not ask (the query client's default) and does so at once when
 * it is shown. A panel that fails is asked less and less.
 */
export function poll(seconds: number) {
  return {
    refetchInterval: ({ state }: { state: { dataUpdatedAt: number; errorUpdatedAt: number } }) => {
      // As long again as it has failed already, up to eight times the usual.
      const failing = Math.max(0, state.errorUpdatedAt - state.dataUpdatedAt) / (seconds * 1000);
      return Math.round(seconds * 1000 * PACE * Math.min(1 + failing, 8));
    },
    refetchOnWindowFocus: true,
  } as const;
}
