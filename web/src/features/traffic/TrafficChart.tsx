import { type KeyboardEvent, type PointerEvent, useState } from 'react';
import { useI18n } from '~/i18n';
import { axisSizes, formatBytes } from '~/lib/bytes';
import type { Bar, Range } from './history';
import css from './TrafficChart.module.css';

/** Most spaces between the times below the chart. They are equal, and the last time is that of the last bar. */
const SPACES = 6;

/** Time as it stands below the chart and, in full, beside a point of it. */
function formatsOf(range: Range, locale: string) {
  const short: Intl.DateTimeFormatOptions =
    range === 'day' ? { hour: '2-digit', minute: '2-digit' } : { day: 'numeric', month: 'short' };
  if (range === 'day' || range === 'week') {
    return {
      short: new Intl.DateTimeFormat(locale, short),
      full: new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' }),
    };
  }
  // Days of the history are days in UTC; in a zone of their own they would begin at odd hours.
  return {
    short: new Intl.DateTimeFormat(locale, { ...short, timeZone: 'UTC' }),
    full: new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeZone: 'UTC' }),
  };
}

/**
 * Bytes to the clients, and on top of them those from the clients. Time runs from left to right in every language, as on
 * every chart of a network. The pointer or the arrow keys choose a point, of which the figures are shown and spoken.
 */
export function TrafficChart({ bars, range }: { bars: Bar[]; range: Range }) {
  const { t, locale, direction } = useI18n();
  const [chosen, setChosen] = useState<number | null>(null);
  const { short, full } = formatsOf(range, locale);
  const sizes = axisSizes(Math.max(0, ...bars.map((bar) => bar.in + bar.out)));
  const most = sizes.at(-1) ?? 1;
  const last = bars.length - 1;
  // Both in percent of the plot.
  const x = (index: number) => (100 * index) / Math.max(last, 1);
  const y = (bytes: number) => 100 - (100 * bytes) / most;

  const edge = (height: (bar: Bar) => number) => bars.map((bar, index) => `${x(index)} ${y(height(bar))}`);
  const out = edge((bar) => bar.out);
  const both = edge((bar) => bar.in + bar.out);
  const areas = [
    { name: 'out', upper: out, lower: ['0 100', '100 100'] },
    { name: 'in', upper: both, lower: out },
  ];

  function point(event: PointerEvent<HTMLElement>) {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    const index = Math.round(((event.clientX - left) / width) * last);
    setChosen(Math.min(Math.max(index, 0), last));
  }

  function press(event: KeyboardEvent) {
    const now = chosen ?? last;
    const moves: Record<string, number> = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: last };
    const next = moves[event.key];
    if (next === undefined) return;
    event.preventDefault();
    setChosen(Math.min(Math.max(next, 0), last));
  }

  const bar = bars[chosen ?? last];
  if (!bar) return null;
  const figures = [
    [t('chart.in'), formatBytes(bar.in, locale)],
    [t('chart.out'), formatBytes(bar.out, locale)],
  ] as const;
  const step = Math.max(1, Math.ceil(last / SPACES));
  const times = Array.from({ length: Math.floor(last / step) + 1 }, (_, n) => (last % step) + n * step);
  return (
    <div className={css.chart} dir="ltr">
      <div className={css.sizes} aria-hidden>
        {sizes.map((size) => (
          <span key={size} style={{ bottom: `${100 - y(size)}%` }}>
            {formatBytes(size, locale)}
          </span>
        ))}
      </div>
      <div
        className={css.plot}
        role="slider"
        tabIndex={0}
        aria-label={t('chart.label')}
        aria-valuemin={0}
        aria-valuemax={last}
        aria-valuenow={chosen ?? last}
        aria-valuetext={[full.format(bar.at), ...figures.map(([name, size]) => `${name} ${size}`)].join('; ')}
        onKeyDown={press}
        onPointerDown={point}
        onPointerMove={point}
        onPointerLeave={() => setChosen(null)}
        onFocus={(event) => event.currentTarget.matches(':focus-visible') && setChosen(last)}
        onBlur={() => setChosen(null)}
      >
        <svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden>
          <path className={css.grid} d={sizes.map((size) => `M0 ${y(size)}H100`).join('')} />
          {areas.map(({ name, upper, lower }) => (
            <g key={name} className={css.area} data-series={name}>
              <path className={css.fill} d={`M${upper.join('L')}L${[...lower].reverse().join('L')}Z`} />
              <path className={css.edge} d={`M${upper.join('L')}`} />
            </g>
          ))}
        </svg>
        {chosen !== null && (
          <div
            className={css.line}
            style={{ left: `${x(chosen)}%` }}
            data-late={chosen > last / 2 || undefined}
          >
            <div className={css.tip} dir={direction}>
              <strong>{full.format(bar.at)}</strong>
              {figures.map(([name, size]) => (
                <div key={name}>
                  <span>{name}</span> <bdi>{size}</bdi>
                </div>
              ))}
            </div>
          </div>
        )}
      </div>
      <div className={css.times} aria-hidden>
        {times.map((index, n) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: places, of which there are always the same
          <span key={n} data-edge={index === 0 || undefined} style={{ left: `${x(index)}%` }}>
            {short.format(bars[index]?.at)}
          </span>
        ))}
      </div>
    </div>
  );
}
