import { AreaChart } from '@mantine/charts';
import '@mantine/charts/styles.css';
import { useI18n } from '~/i18n';
import { axisSizes, formatBytes } from '~/lib/bytes';
import type { Bar, Range } from '~/lib/history';

/** Time runs from left to right in every language, as on every chart of a network. */
export function TrafficChart({ bars, range }: { bars: Bar[]; range: Range }) {
  const { t, locale } = useI18n();
  const short = new Intl.DateTimeFormat(
    locale,
    range === 'day' ? { hour: '2-digit', minute: '2-digit' } : { day: 'numeric', month: 'short' },
  );
  const full = new Intl.DateTimeFormat(
    locale,
    // Days of the history are days in UTC; in a zone of their own they would begin at odd hours.
    range === 'day' || range === 'week'
      ? { dateStyle: 'medium', timeStyle: 'short' }
      : { dateStyle: 'medium', timeZone: 'UTC' },
  );
  const sizes = axisSizes(Math.max(0, ...bars.map((bar) => bar.in + bar.out)));
  return (
    <div dir="ltr" role="img" aria-label={t('chart.label')}>
      <AreaChart
        h={220}
        data={bars.map((bar) => ({ ...bar }))}
        dataKey="at"
        type="stacked"
        curveType="monotone"
        withDots={false}
        strokeWidth={1.5}
        fillOpacity={0.25}
        gridAxis="x"
        tickLine="none"
        series={[
          { name: 'out', label: t('chart.out'), color: 'var(--chart-out)' },
          { name: 'in', label: t('chart.in'), color: 'var(--chart-in)' },
        ]}
        valueFormatter={(value) => formatBytes(value, locale)}
        xAxisProps={{ tickFormatter: (at: number) => short.format(at), minTickGap: 40 }}
        yAxisProps={{
          width: 76,
          ticks: sizes,
          domain: [0, sizes.at(-1) ?? 1],
          tickFormatter: (value: number) => formatBytes(value, locale),
        }}
        tooltipProps={{
          // Without a point under the pointer there is no time either.
          labelFormatter: (at) => (Number.isFinite(Number(at)) ? full.format(Number(at)) : ''),
        }}
        areaChartProps={{ accessibilityLayer: false }}
        areaProps={{ isAnimationActive: false }}
      />
    </div>
  );
}
