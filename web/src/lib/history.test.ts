import { expect, it } from 'vitest';
import { fillHistory, growth, historyQuery, moved } from './history';

const now = Date.parse('2026-11-23T12:34:56Z');

it('begins on a step and asks the same question for an hour', () => {
  expect(historyQuery('day', now)).toEqual({ from: '2026-11-22T13:00:00Z', step: 'hour' });
  expect(historyQuery('day', now + 60_000)).toEqual(historyQuery('day', now));
  expect(historyQuery('month', now)).toEqual({ from: '2026-10-25T00:00:00Z', step: 'day' });
});

it('puts a zero where nothing moved', () => {
  const bars = fillHistory([{ at: '2026-11-23T10:00:00Z', octets_from: 3, octets_to: 4 }], 'day', now);
  expect(bars).toHaveLength(24);
  expect(bars.filter((bar) => bar.in + bar.out > 0)).toEqual([
    { at: Date.parse('2026-11-23T10:00:00Z'), in: 3, out: 4 },
  ]);
  expect(bars.at(-1)?.at).toBe(Date.parse('2026-11-23T12:00:00Z'));
});

it('adds up what moved within a time', () => {
  const points = ['2026-11-22T00:00:00Z', '2026-11-23T00:00:00Z'].map((at) => ({
    at,
    octets_from: 1,
    octets_to: 10,
  }));
  expect(moved(points, Date.parse('2026-11-23T00:00:00Z'), now)).toBe(11);
  expect(moved(points, 0, Date.parse('2026-11-23T00:00:00Z'))).toBe(11);
});

it('compares with nothing where there was nothing', () => {
  expect(growth(10, 0)).toBeNull();
  expect(growth(15, 10)).toBeCloseTo(0.5);
});
