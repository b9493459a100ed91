import { SegmentedControl } from '@mantine/core';
import { keepPreviousData } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';
import { $api, poll } from '~/api/client';
import { useI18n } from '~/i18n';
import { formatBytes } from '~/lib/bytes';
import { fillHistory, historyQuery, RANGES, type Range } from '~/lib/history';
import { recall, remember } from '~/lib/preferences';
import { Card } from './Page';
import { Lines, LoadError } from './states';
import css from './TrafficCard.module.css';
import { useNow } from './useNow';

const TrafficChart = lazy(() =>
  import('./TrafficChart').then((module) => ({ default: module.TrafficChart })),
);

/** Traffic over time, of everybody or of one user. */
export function TrafficCard({ title, username }: { title: string; username?: string }) {
  const { t, locale } = useI18n();
  const now = useNow();
  const [range, setRange] = useState<Range>(() => {
    const last = recall<Range>('range', 'day');
    return RANGES.includes(last) ? last : 'day';
  });
  const query = historyQuery(range, now);
  const options = { placeholderData: keepPreviousData, ...poll(30) };
  const all = $api.useQuery(
    'get',
    '/api/system/traffic',
    { params: { query } },
    { ...options, enabled: username === undefined },
  );
  const one = $api.useQuery(
    'get',
    '/api/users/{username}/traffic',
    { params: { path: { username: username ?? '' }, query } },
    { ...options, enabled: username !== undefined },
  );
  const history = username === undefined ? all : one;
  const bars = history.data ? fillHistory(history.data.points, range, now) : [];
  const sum = bars.reduce((total, bar) => total + bar.in + bar.out, 0);

  function choose(next: string) {
    setRange(next as Range);
    remember('range', next);
  }

  return (
    <Card
      title={title}
      actions={
        <SegmentedControl
          size="xs"
          aria-label={t('chart.range')}
          value={range}
          onChange={choose}
          data={RANGES.map((value) => ({ value, label: t(`dashboard.${value}`) }))}
        />
      }
    >
      <div className={css.legend}>
        <span data-series="in">{t('chart.in')}</span>
        <span data-series="out">{t('chart.out')}</span>
        {history.data && (
          <span className={css.sum}>{t('chart.sum', { size: formatBytes(sum, locale) })}</span>
        )}
      </div>
      <div className={css.frame}>
        {history.isPending && <Lines count={1} height={220} />}
        {history.isError && !history.data && (
          <LoadError error={history.error} onRetry={() => void history.refetch()} />
        )}
        {history.data && sum === 0 && <div className={css.empty}>{t('chart.empty')}</div>}
        {sum > 0 && (
          <Suspense fallback={<Lines count={1} height={220} />}>
            <TrafficChart bars={bars} range={range} />
          </Suspense>
        )}
      </div>
    </Card>
  );
}
