import { expect, it } from 'vitest';
import { axisSizes, formatBytes, joinBytes, splitBytes, UNITS } from './bytes';

it.each([
  [0, '0 B'],
  [1, '1 B'],
  [1023, '1,023 B'],
  [1024, '1 KiB'],
  [1536, '1.5 KiB'],
  [10_737_418_240, '10 GiB'],
  // Not "1,024 MiB".
  [1024 ** 3 - 1, '1 GiB'],
  [1024 ** 5 * 3, '3 PiB'],
  [9_007_199_254_740_991, '8 PiB'],
])('%d bytes are %s', (bytes, text) => {
  expect(formatBytes(bytes, 'en')).toBe(text);
});

it('uses the digits of the language', () => {
  expect(formatBytes(1536, 'ru')).toBe('1,5 KiB');
  expect(formatBytes(1536, 'fa')).toBe('۱٫۵ KiB');
});

it.each([1, 1023, 1024, 1025, 1_000_000_000, 10_737_418_240, 1.5 * 1024 ** 3, 2 ** 53 - 1])(
  'keeps %d through a form',
  (bytes) => {
    const { value, unit } = splitBytes(bytes);
    expect(joinBytes(value, unit)).toBe(bytes);
  },
);

it.each([
  [0, ['0 B', '1 B']],
  [3, ['0 B', '1 B', '2 B', '3 B']],
  [3.1 * 1024 ** 3, ['0 B', '1 GiB', '2 GiB', '3 GiB', '4 GiB']],
  [7 * 1024 ** 2, ['0 B', '2 MiB', '4 MiB', '6 MiB', '8 MiB']],
  // Between 500 MiB and 1 GiB the next step is 1 GiB.
  [2.5 * 1024 ** 3, ['0 B', '1 GiB', '2 GiB', '3 GiB']],
])('gives round sizes for an axis up to %d bytes', (most, labels) => {
  expect(axisSizes(most).map((size) => formatBytes(size, 'en'))).toEqual(labels);
});

it('shows a round size in its largest unit', () => {
  expect(splitBytes(10_737_418_240)).toEqual({ value: 10, unit: 'GiB' });
  expect(splitBytes(1.25 * 1024 ** 2)).toEqual({ value: 1.25, unit: 'MiB' });
});

it('refuses sizes that the API refuses or a number cannot hold', () => {
  expect(joinBytes(0, 'GiB')).toBeNull();
  expect(joinBytes(-1, 'GiB')).toBeNull();
  expect(joinBytes(Number.NaN, 'GiB')).toBeNull();
  expect(joinBytes(1e6, 'PiB')).toBeNull();
  expect(joinBytes(0.5, 'KiB')).toBe(512);
  expect(UNITS).toHaveLength(6);
});
