import { QueryClient } from '@tanstack/react-query';
import createClient from 'openapi-fetch';
import createQueries from 'openapi-react-query';
import { base } from '~/lib/base';
import { fetchConditionally } from './etag';
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

/** The typed client of the API. */
export const api = createClient<paths>({ baseUrl: base, fetch: fetchConditionally });

/** The same API as React hooks. */
export const $api = createQueries(api);

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      retry: (failures, error) => failures < 2 && isTemporary(error),
      staleTime: 5_000,
    },
  },
});

// The next administrator to log in here must not see data of the one before.
onLeave(() => queryClient.clear());

/** Differs per tab, so that tabs that lost the panel at the same moment do not all come back at the same moment. */
const PACE = 0.9 + Math.random() * 0.2;

/**
 * Options of a query that is repeated every `seconds`. A hidden tab does not poll; when it is shown again, it requests
 * its data at once. Both are defaults of the query client. A panel that fails is polled less and less.
 */
export function poll(seconds: number) {
  return {
    refetchInterval: (query: Polled) => {
      // Waits longer by the time for which it has failed, up to eight times the usual interval.
      const failing = failingFor(query) / (seconds * 1000);
      return Math.round(seconds * 1000 * PACE * Math.min(1 + failing, 8));
    },
  };
}

/** The part of a query that `poll` reads. */
interface Polled {
  state: { dataUpdatedAt: number; errorUpdatedAt: number };
}

/** For each failing query: when it failed for the first time since its last answer. */
const firstFailures = new WeakMap<Polled, number>();

/** For how many milliseconds a query has been failing. */
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
