// @vitest-environment jsdom
import { expect, it } from 'vitest';
import { poll } from './client';

const SECONDS = 10;
/**
 * A query, as a function that tells how long it waits when the last answer and the last failure were at these times.
 */
function startQuery() {
  const query = { state: { dataUpdatedAt: 0, errorUpdatedAt: 0 } };
  return (dataUpdatedAt: number, errorUpdatedAt: number) => {
    query.state = { dataUpdatedAt, errorUpdatedAt };
    return poll(SECONDS).refetchInterval(query);
  };
}

it('polls at the pace of its browser, within a tenth of the wanted interval', () => {
  const wait = startQuery();
  const usual = wait(60_000, 0);
  expect(usual).toBeGreaterThanOrEqual(9_000);
  expect(usual).toBeLessThanOrEqual(11_000);
  expect(wait(90_000, 0)).toBe(usual);
});

it.each([60_000, 0])(
  'polls a failing panel less and less after an answer at %d, then as usual',
  (answered) => {
    const wait = startQuery();
    const usual = wait(answered, 0);
    expect(wait(answered, 1_000_000)).toBe(usual);
    expect(wait(answered, 1_010_000) / usual).toBeCloseTo(2, 2);
    expect(wait(answered, 1_030_000) / usual).toBeCloseTo(4, 2);
    expect(wait(answered, 9_000_000) / usual).toBeCloseTo(8, 2);
    expect(wait(9_010_000, 9_000_000)).toBe(usual);
    expect(wait(9_010_000, 9_020_000)).toBe(usual);
  },
);
