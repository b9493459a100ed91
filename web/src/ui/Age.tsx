import { ActionIcon, Loader } from '@mantine/core';
import { IconRefresh } from '@tabler/icons-react';
import { useI18n } from '~/i18n';
import { formatRelative } from '~/lib/time';
import css from './Age.module.css';
import { useNow } from './useNow';

interface Query {
  dataUpdatedAt: number;
  isError: boolean;
  isFetching: boolean;
  refetch: () => unknown;
}

/** How old the figures on the page are, always; loudly when they could not be updated. */
export function Age({ query }: { query: Query }) {
  const { t, locale } = useI18n();
  const now = useNow();
  if (query.dataUpdatedAt === 0) return null;
  // Figures may be newer than the page's clock, which ticks every few seconds.
  const when = formatRelative(Math.min(query.dataUpdatedAt, now), now, locale);
  return (
    <span
      className={css.age}
      data-stale={query.isError || undefined}
      role={query.isError ? 'alert' : undefined}
    >
      {/* Before the words, whose length changes. */}
      <ActionIcon
        variant="subtle"
        color="gray"
        size="md"
        aria-label={t('common.refresh')}
        onClick={() => void query.refetch()}
      >
        {query.isFetching ? <Loader size={14} /> : <IconRefresh size={16} aria-hidden />}
      </ActionIcon>
      {query.isError ? t('common.stale', { when }) : t('common.updated', { when })}
    </span>
  );
}
