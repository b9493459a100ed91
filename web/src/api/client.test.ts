// @vitest-environment jsdom
import { expect, it } from 'vitest';
import { poll } from './client';

const SECONDS = 10;
const wait = (dataUpdatedAt: number, errorUpdatedAt: number) =>
  poll(SECONDS).refetchInterval({ state: { dataUpdatedAt, errorUpdatedAt } });

it('asks at a pace of its own, at most a tenth from what was asked for', () => {
  const usual = wait(60_000, 0);
  expect(usual).toBeGreaterThanOrEqual(9_000);
  expect(usual).toBeLessThanOrEqual(11_000);
  expect(wait(90_000, 0)).toBe(usual);
});

it('asks a panel that fails less and less, and at the usual pace once it answers', () => {
  const usual = wait(60_000, 0);
  const first = wait(60_000, 70_000);
  const second = wait(60_000, 90_000);
  expect(first / usual).toBeCloseTo(2, 2);
  expect(second / usual).toBeCloseTo(4, 2);
  expect(wait(60_000, 1_000_000) / usual).toBeCloseTo(8, 2);
  expect(wait(120_000, 90_000)).toBe(usual);
});
