/** Turns the API's traffic history, which leaves out steps without traffic, into bars and sums for the pages. */
import type { Point } from '~/api/client';

export const RANGES = ['day', 'week', 'month', 'year'] as const;
export type Range = (typeof RANGES)[number];

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** How long each range is, and the steps in which it is shown. */
const SPANS: Record<Range, { length: number; step: 'hour' | 'day' }> = {
  day: { length: DAY, step: 'hour' },
  week: { length: 7 * DAY, step: 'hour' },
  month: { length: 30 * DAY, step: 'day' },
  year: { length: 365 * DAY, step: 'day' },
};

export interface HistoryQuery {
  from: string;
  step: 'hour' | 'day';
}

const floorTo = (at: number, size: number) => Math.floor(at / size) * size;
const toTimestamp = (at: number) => new Date(at).toISOString().replace('.000Z', 'Z');

/** The query for a range of the chart. It starts at the beginning of a step, so that the first step is complete. */
export function historyQuery(range: Range, now: number): HistoryQuery {
  const { length, step } = SPANS[range];
  const size = step === 'hour' ? HOUR : DAY;
  return { from: toTimestamp(floorTo(now - length, size) + size), step };
}

/** The traffic of one step of the chart, in bytes. */
export interface Bar {
  at: number;
  fromClient: number;
  toClient: number;
}

/** One bar for each step of the range, 0 where the API left out the step. */
export function fillHistory(points: Point[], range: Range, now: number): Bar[] {
  const { from, step } = historyQuery(range, now);
  const size = step === 'hour' ? HOUR : DAY;
  const known = new Map(points.map((point) => [floorTo(Date.parse(point.at), size), point]));
  const bars: Bar[] = [];
  for (let at = Date.parse(from); at <= now; at += size) {
    const point = known.get(at);
    bars.push({ at, fromClient: point?.octets_from ?? 0, toClient: point?.octets_to ?? 0 });
  }
  return bars;
}

/** The query for `sumTotals`: by the hour, because a local day may start at any hour of UTC. */
export const totalsQuery = (now: number): HistoryQuery => ({
  from: toTimestamp(floorTo(now, HOUR) - 60 * DAY),
  step: 'hour',
});

/** Where each sum begins, and how far before it the period that it is compared with begins. */
const spansAt = (now: number) =>
  [
    { name: 'today', from: new Date(now).setHours(0, 0, 0, 0), before: DAY },
    { name: 'week', from: now - 7 * DAY, before: 7 * DAY },
    { name: 'month', from: now - 30 * DAY, before: 30 * DAY },
  ] as const;

/**
 * The traffic of today, of the last week and of the last month, each with its growth against the period before, or null
 * if there is nothing to compare. Only complete hours are compared, because the current hour is still growing.
 */
export function sumTotals(points: Point[], now: number) {
  const hour = floorTo(now, HOUR);
  return spansAt(now).map(({ name, from, before }) => {
    // In zones with half hours the day begins within an hour of UTC; the whole hour is counted.
    const start = floorTo(from, HOUR);
    const past = sumBytes(points, start - before, hour - before);
    const growth = past > 0 ? sumBytes(points, start, hour) / past - 1 : null;
    return { name, sum: sumBytes(points, start, now + HOUR), growth };
  });
}

/** Bytes in both directions from one moment (inclusive) to another (exclusive). */
function sumBytes(points: Point[], from: number, to: number): number {
  return points
    .filter(({ at }) => Date.parse(at) >= from && Date.parse(at) < to)
    .reduce((sum, point) => sum + point.octets_from + point.octets_to, 0);
}
