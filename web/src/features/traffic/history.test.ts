import { expect, it } from 'vitest';
import { fillHistory, historyQuery, sumTotals, totalsQuery } from './history';

const now = Date.parse('2026-11-23T12:34:56Z');
const point = (at: string, octets_to: number) => ({ at, octets_from: 0, octets_to });

it('starts at a step and stays the same for an hour', () => {
  expect(historyQuery('day', now)).toEqual({ from: '2026-11-22T13:00:00Z', step: 'hour' });
  expect(historyQuery('day', now + 60_000)).toEqual(historyQuery('day', now));
  expect(historyQuery('month', now)).toEqual({ from: '2026-10-25T00:00:00Z', step: 'day' });
  expect(totalsQuery(now)).toEqual({ from: '2026-09-24T12:00:00Z', step: 'hour' });
});

it('fills steps without traffic with 0', () => {
  const bars = fillHistory([{ at: '2026-11-23T10:00:00Z', octets_from: 3, octets_to: 4 }], 'day', now);
  expect(bars).toHaveLength(24);
  expect(bars.filter((bar) => bar.fromClient + bar.toClient > 0)).toEqual([
    { at: Date.parse('2026-11-23T10:00:00Z'), fromClient: 3, toClient: 4 },
  ]);
  expect(bars.at(-1)?.at).toBe(Date.parse('2026-11-23T12:00:00Z'));
});

it('sums the traffic of today, a week and a month', () => {
  const points = [
    // Midnight in Moscow is 21:00 in UTC, the day before.
    point('2026-11-22T20:00:00Z', 1),
    point('2026-11-22T21:00:00Z', 10),
    point('2026-11-10T00:00:00Z', 100),
    point('2026-11-23T12:00:00Z', 1000),
    point('2026-10-20T00:00:00Z', 10_000),
  ];
  expect(sumTotals(points, now).map(({ name, sum }) => [name, sum])).toEqual([
    ['today', 1010],
    ['week', 1011],
    ['month', 1111],
  ]);
});

it('compares complete hours only', () => {
  const points = [
    point('2026-11-22T11:00:00Z', 100),
    // The current hour is not complete yet, the same hour yesterday is.
    point('2026-11-22T12:00:00Z', 900),
    point('2026-11-23T11:00:00Z', 150),
    point('2026-11-23T12:00:00Z', 1),
  ];
  expect(sumTotals(points, now)[0]).toEqual({ name: 'today', sum: 151, growth: 0.5 });
});

it('has no growth without earlier traffic or before the first complete hour', () => {
  expect(sumTotals([point('2026-11-23T11:00:00Z', 150)], now)[0]?.growth).toBeNull();
  const justAfterMidnight = Date.parse('2026-11-22T21:10:00Z');
  expect(sumTotals([point('2026-11-21T21:00:00Z', 150)], justAfterMidnight)[0]?.growth).toBeNull();
});
