import { $api, poll } from '~/api/client';
import { useI18n } from '~/i18n';
import { growth, moved } from '~/lib/history';
import { Card } from '~/ui/Page';
import { Lines, LoadError } from '~/ui/states';
import { useNow } from '~/ui/useNow';
import { Bytes } from '~/ui/values';
import css from './Dashboard.module.css';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Where each sum begins, and how far back the one before it. */
const spans = (now: number) =>
  [
    { name: 'today', from: new Date(now).setHours(0, 0, 0, 0), before: DAY },
    { name: 'week', from: now - 7 * DAY, before: 7 * DAY },
    { name: 'month', from: now - 30 * DAY, before: 30 * DAY },
  ] as const;

const hourBefore = (at: number) => new Date(Math.floor(at / HOUR) * HOUR).toISOString().replace('.000Z', 'Z');

/** What moved today and in the last week and month, against the same time before. */
export function TrafficTotals() {
  const { t, locale } = useI18n();
  const now = Math.floor(useNow() / HOUR) * HOUR + HOUR;
  const history = $api.useQuery(
    'get',
    '/api/system/traffic',
    // By the hour, although two months of it are 1,440 points: a day of ours begins at any hour of UTC.
    { params: { query: { from: hourBefore(now - 60 * DAY), step: 'hour' } } },
    poll(60),
  );
  if (history.isPending) return <Lines count={1} height={96} />;
  if (!history.data) return <LoadError error={history.error} onRetry={() => void history.refetch()} />;
  const { points } = history.data;
  const percent = new Intl.NumberFormat(locale, {
    style: 'percent',
    maximumFractionDigits: 0,
    signDisplay: 'exceptZero',
  });
  return (
    <div className={css.totals}>
      {spans(now - 1).map(({ name, from, before }) => {
        const sum = moved(points, from, now);
        const change = growth(sum, moved(points, from - before, now - before));
        return (
          <Card key={name} label={`${t('dashboard.traffic')}: ${t(`dashboard.${name}`)}`}>
            <div className="dim small">
              {t('dashboard.traffic')}, {t(`dashboard.${name}`)}
            </div>
            <div className={css.figure}>
              <Bytes value={sum} />
            </div>
            <div className="dim small">
              {change === null
                ? t('dashboard.noChange')
                : t('dashboard.change', { percent: percent.format(change) })}
            </div>
          </Card>
        );
      })}
    </div>
  );
}
