/** Search, filter, order and page of the list of users, as in the URL. */
import { PAGE_SIZES } from '~/lib/paging';
import { STATUSES, type Status } from '~/lib/status';

export const SORT_KEYS = [
  'created_at',
  'username',
  'status',
  'data_used',
  'data_limit',
  'expire_at',
  'last_seen_at',
] as const;
export type SortKey = (typeof SORT_KEYS)[number];
export type Sort = SortKey | `-${SortKey}`;

export const DEFAULT_SORT: Sort = '-created_at';
export const DEFAULT_SIZE = 50;

export interface UserFilters {
  search?: string;
  status?: Status;
  sort?: Sort;
  page?: number;
  size?: number;
}

const isOneOf = <T>(list: readonly T[], value: unknown): value is T => list.includes(value as T);

function asWholeNumber(value: unknown): number | undefined {
  const number = typeof value === 'string' ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number > 0 ? number : undefined;
}

/** Takes the filters from a URL and leaves out what is not valid or is the default. */
export function parseUserFilters(query: Record<string, unknown>): UserFilters {
  const filters: UserFilters = {};
  // The router reads a search for digits as a number.
  const search = typeof query.search === 'number' ? String(query.search) : query.search;
  if (typeof search === 'string' && search !== '') filters.search = [...search].slice(0, 100).join('');
  if (isOneOf(STATUSES, query.status)) filters.status = query.status;
  const sort = typeof query.sort === 'string' ? query.sort : '';
  if (isOneOf(SORT_KEYS, sort.replace(/^-/, '')) && sort !== DEFAULT_SORT) filters.sort = sort as Sort;
  const page = asWholeNumber(query.page);
  if (page !== undefined && page > 1) filters.page = page;
  const size = asWholeNumber(query.size);
  if (isOneOf(PAGE_SIZES, size) && size !== DEFAULT_SIZE) filters.size = size;
  return filters;
}

/** The filters as a query of the API. */
export function listQuery(filters: UserFilters) {
  const limit = filters.size ?? DEFAULT_SIZE;
  return {
    offset: ((filters.page ?? 1) - 1) * limit,
    limit,
    sort: filters.sort ?? DEFAULT_SORT,
    ...(filters.search ? { search: filters.search } : {}),
    ...(filters.status ? { status: filters.status } : {}),
  };
}

/** The order after a press on a column's header. Numbers start with the largest, texts with the first. */
export function nextSort(current: Sort | undefined, key: SortKey): Sort {
  const now = current ?? DEFAULT_SORT;
  if (now === key) return `-${key}`;
  if (now === `-${key}`) return key;
  return key === 'username' || key === 'status' || key === 'expire_at' ? key : `-${key}`;
}
