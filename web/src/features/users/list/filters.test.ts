import { describe, expect, it } from 'vitest';
import { listQuery, nextSort, parseUserFilters } from './filters';

describe('filters in the URL', () => {
  it('keeps valid values', () => {
    const filters = { search: 'al', status: 'active', sort: '-data_used', page: 3, size: 100 };
    expect(parseUserFilters(filters)).toEqual(filters);
  });

  it.each([
    [{ status: 'gone' }],
    [{ sort: 'password' }],
    [{ sort: '--username' }],
    [{ page: -1 }],
    [{ page: 'x' }],
    [{ page: 1 }],
    [{ page: 1.5 }],
    [{ size: 7 }],
    [{ size: 50 }],
    [{ sort: '-created_at' }],
    [{ search: '' }],
    [{ search: {} }],
    [{ other: 'thing' }],
  ])('leaves out %j', (query) => {
    expect(parseUserFilters(query)).toEqual({});
  });

  it('reads a search for digits as text', () => {
    expect(parseUserFilters({ search: 42 })).toEqual({ search: '42' });
  });

  it('cuts a search to the length that the API accepts', () => {
    expect([...(parseUserFilters({ search: '😀'.repeat(150) }).search ?? '')]).toHaveLength(100);
  });
});

it('queries the API for the page', () => {
  expect(listQuery({})).toEqual({ offset: 0, limit: 50, sort: '-created_at' });
  expect(listQuery({ page: 3, size: 20, search: 'a', status: 'expired', sort: 'username' })).toEqual({
    offset: 40,
    limit: 20,
    sort: 'username',
    search: 'a',
    status: 'expired',
  });
});

it('reverses the order at the second press', () => {
  expect(nextSort(undefined, 'data_used')).toBe('-data_used');
  expect(nextSort('-data_used', 'data_used')).toBe('data_used');
  expect(nextSort('data_used', 'data_used')).toBe('-data_used');
  expect(nextSort('-data_used', 'username')).toBe('username');
  expect(nextSort(undefined, 'created_at')).toBe('created_at');
});
