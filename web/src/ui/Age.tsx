import { ActionIcon, Loader } from '@mantine/core';
import { IconRefresh } from '@tabler/icons-react';
import type { Query } from '@tanstack/react-query';
import { useCallback, useSyncExternalStore } from 'react';
import { queryClient } from '~/api/client';
import { useI18n } from '~/i18n';
import { formatRelative } from '~/lib/time';
import css from './Age.module.css';
import { useNow } from './useNow';

const cache = queryClient.getQueryCache();

/** Whether a query of the page is polled. */
const isPolled = (query: Query) =>
  query.isActive() && query.observers.some(({ options }) => options.refetchInterval !== undefined);

/**
 * When the oldest data on the page was loaded, of the data that could not be updated if there is any; 0 without data.
 */
function findFreshness() {
  const states = cache.findAll({ predicate: isPolled }).map(({ state }) => state);
  const shown = states.filter(({ dataUpdatedAt }) => dataUpdatedAt > 0);
  const failed = shown.filter(({ status }) => status === 'error');
  const isStale = failed.length > 0;
  const times = (isStale ? failed : shown).map(({ dataUpdatedAt }) => dataUpdatedAt);
  const isFetching = states.some(({ fetchStatus }) => fetchStatus === 'fetching');
  return { at: times.length > 0 ? Math.min(...times) : 0, isStale, isFetching };
}

function useFreshness(): ReturnType<typeof findFreshness> {
  const subscribe = useCallback((listener: () => void) => cache.subscribe(listener), []);
  // As text, because React compares snapshots by identity.
  return JSON.parse(useSyncExternalStore(subscribe, () => JSON.stringify(findFreshness())));
}

/** Shows how old the oldest data on the page is, warns if it could not be updated, and refreshes it. */
export function Age() {
  const { t, locale } = useI18n();
  const now = useNow();
  const { at, isStale, isFetching } = useFreshness();
  // Data may be newer than the page's clock, which ticks every few seconds.
  const when = formatRelative(Math.min(at, now), now, locale);
  return (
    <span className={css.age} data-stale={isStale || undefined}>
      {/* Before the text, whose length changes. */}
      <ActionIcon
        variant="subtle"
        color="gray"
        size="md"
        aria-label={t('common.refresh')}
        onClick={() => void queryClient.refetchQueries({ predicate: isPolled })}
      >
        {isFetching ? <Loader size={14} /> : <IconRefresh size={16} aria-hidden />}
      </ActionIcon>
      {at > 0 && t(isStale ? 'common.stale' : 'common.updated', { when })}
      {/* Without the time, so that screen readers read it once and not again every minute. */}
      <span className="visually-hidden" role="alert">
        {isStale && t('common.notUpdated')}
      </span>
    </span>
  );
}
