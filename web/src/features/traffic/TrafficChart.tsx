import { type KeyboardEvent, type PointerEvent, useState } from 'react';
import { useI18n } from '~/i18n';
import { axisSizes, formatBytes } from '~/lib/bytes';
import type { Bar, Range } from './history';
import css from './TrafficChart.module.css';

/** At most this many equal gaps between the times below the chart. The last time is that of the last bar. */
const MAX_GAPS = 6;

/** The formats of times: short ones below the chart, full ones in the tooltip. */
function formatsOf(range: Range, locale: string) {
  const short: Intl.DateTimeFormatOptions =
    range === 'day' ? { hour: '2-digit', minute: '2-digit' } : { day: 'numeric', month: 'short' };
  if (range === 'day' || range === 'week') {
    return {
      short: new Intl.DateTimeFormat(locale, short),
      full: new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' }),
    };
  }
  // The days of the history are UTC days; in the local zone they would start in the middle of a day.
  return {
    short: new Intl.DateTimeFormat(locale, { ...short, timeZone: 'UTC' }),
    full: new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeZone: 'UTC' }),
  };
}

/**
 * Stacked areas: bytes to clients, and above them bytes from clients. Time runs from left to right in every language,
 * as is usual for charts. The pointer or the arrow keys choose a point, whose values are shown and read by screen
 * readers.
 */
export function TrafficChart({ bars, range }: { bars: Bar[]; range: Range }) {
  const { t, locale, direction } = useI18n();
  const [chosen, setChosen] = useState<number | null>(null);
  const { short, full } = formatsOf(range, locale);
  const sizes = axisSizes(Math.max(0, ...bars.map((bar) => bar.fromClient + bar.toClient)));
  const most = sizes.at(-1) ?? 1;
  const last = bars.length - 1;
  // Coordinates in percent of the plot.
  const x = (index: number) => (100 * index) / Math.max(last, 1);
  const y = (bytes: number) => 100 - (100 * bytes) / most;

  const edge = (height: (bar: Bar) => number) => bars.map((bar, index) => `${x(index)} ${y(height(bar))}`);
  const toClient = edge((bar) => bar.toClient);
  const both = edge((bar) => bar.fromClient + bar.toClient);
  const areas = [
    { name: 'to-client', upper: toClient, lower: ['0 100', '100 100'] },
    { name: 'from-client', upper: both, lower: toClient },
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
    [t('chart.fromClient'), formatBytes(bar.fromClient, locale)],
    [t('chart.toClient'), formatBytes(bar.toClient, locale)],
  ] as const;
  const step = Math.max(1, Math.ceil(last / MAX_GAPS));
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
          // biome-ignore lint/suspicious/noArrayIndexKey: the labels keep their places
          <span key={n} data-edge={index === 0 || undefined} style={{ left: `${x(index)}%` }}>
            {short.format(bars[index]?.at)}
          </span>
        ))}
      </div>
    </div>
  );
}
