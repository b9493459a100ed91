import { SegmentedControl } from '@mantine/core';
import { useState } from 'react';
import { useI18n } from '~/i18n';
import { formatBytes } from '~/lib/bytes';
import { recall, remember } from '~/lib/preferences';
import { Card } from '~/ui/Page';
import { LoadError, LoadingLines } from '~/ui/states';
import { fillHistory, historyQuery, RANGES, type Range } from './history';
import css from './TrafficCard.module.css';
import { TrafficChart } from './TrafficChart';
import { useTraffic } from './useTraffic';

/** The chart of traffic over time, of all users or of one. */
export function TrafficCard({ title, username }: { title: string; username?: string }) {
  const { t, locale } = useI18n();
  const [range, setRange] = useState<Range>(() => {
    const last = recall<Range>('range', 'day');
    return RANGES.includes(last) ? last : 'day';
  });
  const history = useTraffic({
    name: range,
    username,
    query: (now) => historyQuery(range, now),
    // With its range, so that the old chart stays complete until the new data arrives.
    read: (points, now) => ({ range, bars: fillHistory(points, range, now) }),
    seconds: 30,
  });
  const sum = (history.data?.bars ?? []).reduce((total, bar) => total + bar.fromClient + bar.toClient, 0);

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
        <span data-series="from-client">{t('chart.fromClient')}</span>
        <span data-series="to-client">{t('chart.toClient')}</span>
        {history.data && (
          <span className={css.sum}>{t('chart.sum', { size: formatBytes(sum, locale) })}</span>
        )}
      </div>
      <div className={css.frame}>
        {history.isPending && <LoadingLines count={1} height={220} />}
        {history.isError && !history.data && (
          <LoadError error={history.error} onRetry={() => void history.refetch()} />
        )}
        {history.data && sum === 0 && <div className={css.empty}>{t('chart.empty')}</div>}
        {history.data && sum > 0 && <TrafficChart {...history.data} />}
      </div>
    </Card>
  );
}
