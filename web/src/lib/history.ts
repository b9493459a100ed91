/** A history as the API tells it, for a chart: steps in which nothing moved are left out there and zero here. */
import type { Point } from '~/api/client';

export const RANGES = ['day', 'week', 'month', 'year'] as const;
export type Range = (typeof RANGES)[number];

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

export const WIDTH: Record<Range, { length: number; step: 'hour' | 'day' }> = {
  day: { length: DAY, step: 'hour' },
  week: { length: 7 * DAY, step: 'hour' },
  month: { length: 30 * DAY, step: 'day' },
  year: { length: 365 * DAY, step: 'day' },
};

/** What to ask for. It begins on a step, so that the first one is whole and the question stays the same for a while. */
export function historyQuery(range: Range, now: number) {
  const { length, step } = WIDTH[range];
  const size = step === 'hour' ? HOUR : DAY;
  const from = Math.floor((now - length) / size) * size + size;
  return { from: new Date(from).toISOString().replace('.000Z', 'Z'), step };
}

export interface Bar {
  at: number;
  in: number;
  out: number;
}

export function fillHistory(points: Point[], range: Range, now: number): Bar[] {
  const { from, step } = historyQuery(range, now);
  const size = step === 'hour' ? HOUR : DAY;
  const known = new Map(points.map((point) => [Math.floor(Date.parse(point.at) / size) * size, point]));
  const bars: Bar[] = [];
  for (let at = Date.parse(from); at <= now; at += size) {
    const point = known.get(at);
    bars.push({ at, in: point?.octets_from ?? 0, out: point?.octets_to ?? 0 });
  }
  return bars;
}

/** Bytes in both directions at and after one moment and before another. */
export function moved(points: Point[], from: number, to: number): number {
  return points
    .filter(({ at }) => Date.parse(at) >= from && Date.parse(at) < to)
    .reduce((sum, point) => sum + point.octets_from + point.octets_to, 0);
}

/** The share by which it grew; null if there is nothing to compare with. */
export const growth = (now: number, before: number): number | null => (before > 0 ? now / before - 1 : null);
