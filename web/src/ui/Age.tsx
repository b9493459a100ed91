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

/** What the page asks for again and again. */
const live = (query: Query) =>
  query.isActive() && query.observers.some(({ options }) => options.refetchInterval !== undefined);

/** The oldest figures on the page: of those that could not be updated, if there are any. 0 while there are none. */
function freshness() {
  const states = cache.findAll({ predicate: live }).map(({ state }) => state);
  const shown = states.filter(({ dataUpdatedAt }) => dataUpdatedAt > 0);
  const failed = shown.filter(({ status }) => status === 'error');
  const isStale = failed.length > 0;
  const times = (isStale ? failed : shown).map(({ dataUpdatedAt }) => dataUpdatedAt);
  const isFetching = states.some(({ fetchStatus }) => fetchStatus === 'fetching');
  return { at: times.length > 0 ? Math.min(...times) : 0, isStale, isFetching };
}

function useFreshness(): ReturnType<typeof freshness> {
  const subscribe = useCallback((listener: () => void) => cache.subscribe(listener), []);
  // As a text, because two objects with the same figures are not the same.
  return JSON.parse(useSyncExternalStore(subscribe, () => JSON.stringify(freshness())));
}

/** How old the oldest figures on the page are, always; loudly when they could not be updated. */
export function Age() {
  const { t, locale } = useI18n();
  const now = useNow();
  const { at, isStale, isFetching } = useFreshness();
  // Figures may be newer than the page's clock, which ticks every few seconds.
  const when = formatRelative(Math.min(at, now), now, locale);
  return (
    <span className={css.age} data-stale={isStale || undefined}>
      {/* Before the words, whose length changes. */}
      <ActionIcon
        variant="subtle"
        color="gray"
        size="md"
        aria-label={t('common.refresh')}
        onClick={() => void queryClient.refetchQueries({ predicate: live })}
      >
        {isFetching ? <Loader size={14} /> : <IconRefresh size={16} aria-hidden />}
      </ActionIcon>
      {at > 0 && t(isStale ? 'common.stale' : 'common.updated', { when })}
      {/* Once, and not again with each minute that passes. */}
      <span className="visually-hidden" role="alert">
        {isStale && t('common.notUpdated')}
      </span>
    </span>
  );
}
