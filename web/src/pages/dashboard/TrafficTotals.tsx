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
const SPANS = { day: 1, week: 7, month: 30 } as const;

const hourBefore = (at: number) => new Date(Math.floor(at / HOUR) * HOUR).toISOString().replace('.000Z', 'Z');

/** What moved in the last day, week and month, against the same time before. */
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
      {(['day', 'week', 'month'] as const).map((span) => {
        const length = SPANS[span] * DAY;
        const sum = moved(points, now - length, now + DAY);
        const change = growth(sum, moved(points, now - 2 * length, now - length));
        return (
          <Card key={span} label={`${t('dashboard.traffic')}: ${t(`dashboard.${span}`)}`}>
            <div className="dim small">
              {t('dashboard.traffic')}, {t(`dashboard.${span}`)}
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
