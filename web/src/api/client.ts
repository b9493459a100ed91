import { QueryClient } from '@tanstack/react-query';
import createClient from 'openapi-fetch';
import createQueries from 'openapi-react-query';
import { base } from '~/lib/base';
import { conditional } from './etag';
import { isTemporary } from './problem';
import type { components, paths } from './schema';
import { onLeave } from './session';

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

// The next one to log in here must not see a glimpse of this one's figures.
onLeave(() => queryClient.clear());

/** Every browser at its own pace, so that those which lost the panel together do not come back together. */
const PACE = 0.9 + Math.random() * 0.2;

/**
 * How often a page asks again. A tab that nobody sees does not ask (the query client's default) and does so at once when
 * it is shown. A panel that fails is asked less and less.
 */
export function poll(seconds: number) {
  return {
    refetchInterval: (query: Polled) => {
      // As long again as it has failed already, up to eight times the usual.
      const failing = failingFor(query) / (seconds * 1000);
      return Math.round(seconds * 1000 * PACE * Math.min(1 + failing, 8));
    },
  };
}

interface Polled {
  state: { dataUpdatedAt: number; errorUpdatedAt: number };
}

/** When each of those that fail did so for the first time since it was answered. */
const firstFailures = new WeakMap<Polled, number>();

function failingFor(query: Polled): number {
  const { dataUpdatedAt, errorUpdatedAt } = query.state;
  if (errorUpdatedAt <= dataUpdatedAt) {
    firstFailures.delete(query);
    return 0;
  }
  const first = firstFailures.get(query) ?? errorUpdatedAt;
  firstFailures.set(query, first);
  return errorUpdatedAt - first;
}
