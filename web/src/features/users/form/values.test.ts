import { expect, it } from 'vitest';
import type { User } from '~/api/client';
import { bodyOf, EMPTY, faultsOf, patchOf, valuesOf } from './values';

const user: User = {
  username: 'alice',
  status: 'active',
  data_limit: 10_737_418_241,
  data_used: 5,
  max_connections: 8,
  max_unique_ips: null,
  expire_at: '2027-01-31T20:59:59Z',
  note: 'hello',
  created_at: '2026-01-01T00:00:00Z',
  updated_at: '2026-01-01T00:00:00Z',
  last_seen_at: null,
  online: false,
  connections: 0,
  unique_ips: 0,
  reset_strategy: 'monthly',
  next_reset_at: null,
  created_by: 'admin',
};

it('sends no field if nothing was changed', () => {
  expect(patchOf(valuesOf(user), valuesOf(user))).toEqual({});
});

it('keeps sizes and times exactly', () => {
  expect(bodyOf(valuesOf(user))).toEqual({
    username: 'alice',
    data_limit: user.data_limit,
    max_connections: 8,
    max_unique_ips: null,
    expire_at: user.expire_at,
    note: 'hello',
    reset_strategy: 'monthly',
  });
});

it('clears a limit with null and leaves the others out', () => {
  const before = valuesOf(user);
  expect(patchOf(before, { ...before, limit: '' })).toEqual({ data_limit: null });
  expect(patchOf(before, { ...before, expire: null, connections: '' })).toEqual({
    expire_at: null,
    max_connections: null,
  });
  expect(patchOf(before, { ...before, addresses: '2' })).toEqual({ max_unique_ips: 2 });
});

it('keeps a limit that no JavaScript number holds exactly', () => {
  const before = valuesOf({ ...user, data_limit: Number('9223372036854775807') });
  expect(patchOf(before, { ...before, note: 'x' })).toEqual({ note: 'x' });
});

it('accepts a name alone', () => {
  expect(faultsOf({ ...EMPTY, username: 'bob' })).toEqual({});
});

it.each([
  [{ username: '' }, { username: 'required' }],
  [{ username: 'a b c' }, { username: 'characters' }],
  [{ limit: '0' }, { limit: 'positive' }],
  [{ limit: '1000000000', unit: 'PiB' }, { limit: 'tooLarge' }],
  [{ connections: '0' }, { connections: 'positive' }],
  [{ addresses: '99999999999999999999' }, { addresses: 'tooLarge' }],
  [{ expire: 'soon' }, { expire: 'date' }],
  [{ note: 'x'.repeat(1001) }, { note: 'noteLong' }],
] as const)('refuses %j', (change, faults) => {
  expect(faultsOf({ ...EMPTY, username: 'bob', ...change })).toEqual(faults);
});
