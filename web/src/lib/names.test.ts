import { expect, it } from 'vitest';
import { generateName, generatePassword, nameFault } from './names';

it.each([
  ['alice', null],
  ['A.b_c-9', null],
  ['new', null],
  ['ab', 'short'],
  ['x'.repeat(33), 'long'],
  ['имя', 'characters'],
  ['a b c', 'characters'],
  ['scope_x', 'reserved'],
  ['SCOPE_x', 'reserved'],
  ['MTPannel-Placeholder', 'reserved'],
])('%s: %s', (name, fault) => {
  expect(nameFault(name)).toBe(fault);
});

it('generates names and passwords that the server accepts, and different ones', () => {
  const names = new Set(Array.from({ length: 200 }, generateName));
  expect(names.size).toBeGreaterThan(195);
  for (const name of names) expect(nameFault(name)).toBeNull();
  const passwords = new Set(Array.from({ length: 200 }, generatePassword));
  expect(passwords.size).toBe(200);
  for (const password of passwords) expect(password).toMatch(/^[A-Za-z0-9]{20}$/);
});
