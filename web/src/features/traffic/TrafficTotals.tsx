import { useI18n } from '~/i18n';
import { Card } from '~/ui/Page';
import { LoadError, LoadingLines } from '~/ui/states';
import { Bytes } from '~/ui/values';
import { sumTotals, totalsQuery } from './history';
import css from './TrafficTotals.module.css';
import { useTraffic } from './useTraffic';

/** The traffic of today, the last week and the last month, compared with the periods before. */
export function TrafficTotals() {
  const { t, locale } = useI18n();
  const history = useTraffic({ name: 'totals', query: totalsQuery, read: sumTotals, seconds: 60 });
  if (history.isPending) return <LoadingLines count={1} height={96} />;
  if (!history.data) return <LoadError error={history.error} onRetry={() => void history.refetch()} />;
  const percent = new Intl.NumberFormat(locale, {
    style: 'percent',
    maximumFractionDigits: 0,
    signDisplay: 'exceptZero',
  });
  return (
    <div className={css.totals}>
      {history.data.map(({ name, sum, growth }) => {
        const label = t('dashboard.trafficOf', { span: t(`dashboard.${name}`) });
        return (
          <Card key={name} label={label}>
            <div className="dim small">{label}</div>
            <div className="figure">
              <Bytes value={sum} />
            </div>
            <div className="dim small">
              {growth === null
                ? t('dashboard.noChange')
                : t('dashboard.change', { percent: percent.format(growth) })}
            </div>
          </Card>
        );
      })}
    </div>
  );
}
