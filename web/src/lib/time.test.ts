import { expect, it } from 'vitest';
import {
  addDays,
  formatDuration,
  formatMoment,
  formatRelative,
  formatUtc,
  fromPicker,
  toPicker,
} from './time';

// The tests run in Europe/Moscow, three hours ahead of UTC; see vite.config.ts.
const now = Date.parse('2026-11-23T12:00:00Z');

it('runs in a time zone that is not UTC', () => {
  expect(new Date(now).getTimezoneOffset()).toBe(-180);
});

it('shows a moment in the local time zone, and in UTC', () => {
  expect(formatMoment('2026-11-23T22:30:00Z', 'en-GB')).toContain('24 Nov 2026');
  expect(formatMoment('2026-11-23T22:30:00Z', 'en-GB')).toContain('01:30');
  expect(formatUtc('2026-11-23T22:30:05Z')).toBe('2026-11-23 22:30:05 UTC');
});

it.each(['2027-01-31T23:59:59Z', '2026-03-29T00:30:00Z', '2026-12-31T21:00:00Z', '1999-12-31T20:59:59Z'])(
  'keeps %s through a picker',
  (at) => {
    expect(fromPicker(toPicker(at))).toBe(at);
  },
);

it('reads the picker in the local time zone', () => {
  expect(fromPicker('2027-01-31 23:59:59')).toBe('2027-01-31T20:59:59Z');
  expect(toPicker('2027-01-31T20:59:59Z')).toBe('2027-01-31 23:59:59');
  expect(fromPicker('soon')).toBeNull();
});

it('adds calendar days, at the same time of day', () => {
  expect(addDays(new Date('2026-11-23T12:00:00Z'), 30)).toBe('2026-12-23T12:00:00Z');
  expect(addDays(new Date('2028-02-28T12:00:00Z'), 1)).toBe('2028-02-29T12:00:00Z');
});

it.each([
  [now + 30_000, 'in 30 seconds'],
  [now - 90_000, '1 minute ago'],
  // Cut, not rounded: the remaining time is never overstated.
  [now + 2 * 86_400_000 - 1000, 'in 1 day'],
  [now + 59 * 86_400_000, 'in 1 month'],
  [now + 3 * 86_400_000, 'in 3 days'],
  [now - 86_400_000, '1 day ago'],
  [now - 400 * 86_400_000, '1 year ago'],
  [now, 'now'],
  // Within the tick of the page's clock.
  [now + 9_999, 'now'],
  [now + 10_000, 'in 10 seconds'],
  [now - 1_000, '1 second ago'],
])('formats the distance to %d as %s', (at, text) => {
  expect(formatRelative(at, now, 'en')).toBe(text);
});

it.each([
  [59, '59 sec'],
  [3_700, '1 hr 1 min'],
  [90_061, '1 day 1 hr'],
])('formats %d seconds as %s', (seconds, text) => {
  expect(formatDuration(seconds, 'en')).toBe(text);
});
