/** A history as the API tells it, for a chart: steps in which nothing moved are left out there and zero here. */
import type { Point } from '~/api/client';

export const RANGES = ['day', 'week', 'month', 'year'] as const;
export type Range = (typeof RANGES)[number];

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const WIDTH: Record<Range, { length: number; step: 'hour' | 'day' }> = {
  day: { length: DAY, step: 'hour' },
  week: { length: 7 * DAY, step: 'hour' },
  month: { length: 30 * DAY, step: 'day' },
  year: { length: 365 * DAY, step: 'day' },
};

export interface HistoryQuery {
  from: string;
  step: 'hour' | 'day';
}

const floor = (at: number, size: number) => Math.floor(at / size) * size;
const stamp = (at: number) => new Date(at).toISOString().replace('.000Z', 'Z');

/** What to ask for. It begins on a step, so that the first one is whole. */
export function historyQuery(range: Range, now: number): HistoryQuery {
  const { length, step } = WIDTH[range];
  const size = step === 'hour' ? HOUR : DAY;
  return { from: stamp(floor(now - length, size) + size), step };
}

export interface Bar {
  at: number;
  in: number;
  out: number;
}

export function fillHistory(points: Point[], range: Range, now: number): Bar[] {
  const { from, step } = historyQuery(range, now);
  const size = step === 'hour' ? HOUR : DAY;
  const known = new Map(points.map((point) => [floor(Date.parse(point.at), size), point]));
  const bars: Bar[] = [];
  for (let at = Date.parse(from); at <= now; at += size) {
    const point = known.get(at);
    bars.push({ at, in: point?.octets_from ?? 0, out: point?.octets_to ?? 0 });
  }
  return bars;
}

/** What to ask for the sums below: by the hour, because a day of ours begins at any hour of UTC. */
export const totalsQuery = (now: number): HistoryQuery => ({
  from: stamp(floor(now, HOUR) - 60 * DAY),
  step: 'hour',
});

/** Where each sum begins, and how far back the one that it is compared with. */
const spans = (now: number) =>
  [
    { name: 'today', from: new Date(now).setHours(0, 0, 0, 0), before: DAY },
    { name: 'week', from: now - 7 * DAY, before: 7 * DAY },
    { name: 'month', from: now - 30 * DAY, before: 30 * DAY },
  ] as const;

/**
 * What moved today and in the last week and month, and the share by which it grew: null if there is nothing to compare
 * with. Only whole hours are compared, because the one that runs has not brought all of its bytes yet.
 */
export function totals(points: Point[], now: number) {
  const hour = floor(now, HOUR);
  return spans(now).map(({ name, from, before }) => {
    // A day that begins at half past an hour of UTC begins with that hour.
    const start = floor(from, HOUR);
    const past = moved(points, start - before, hour - before);
    const growth = past > 0 ? moved(points, start, hour) / past - 1 : null;
    return { name, sum: moved(points, start, now + HOUR), growth };
  });
}

/** Bytes in both directions at and after one moment and before another. */
function moved(points: Point[], from: number, to: number): number {
  return points
    .filter(({ at }) => Date.parse(at) >= from && Date.parse(at) < to)
    .reduce((sum, point) => sum + point.octets_from + point.octets_to, 0);
}
