import { expect, it } from 'vitest';
import { cleanCount, cleanDecimal } from './numbers';

it.each([
  ['12', '12'],
  ['۱۲۳۴۵۶۷۸۹۰', '1234567890'],
  ['٣٤', '34'],
  ['-5', '5'],
  ['1.5', '15'],
  ['no', ''],
])('reads %s as the whole number %s', (text, number) => {
  expect(cleanCount(text)).toBe(number);
});

it.each([
  ['1.5', '1.5'],
  ['1,5', '1.5'],
  ['۱٫۵', '1.5'],
  ['٢٫٧٥', '2.75'],
  ['1.', '1.'],
  ['.5', '.5'],
  ['1.2.34', '1.23'],
  ['1.239', '1.23'],
  ['-3', '3'],
])('reads %s as the number %s', (text, number) => {
  expect(cleanDecimal(text)).toBe(number);
});
