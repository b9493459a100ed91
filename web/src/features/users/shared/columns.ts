import type { SortKey } from '~/features/users/list/filters';
import { recall } from '~/lib/preferences';

/** Columns besides name and actions, which are always there. */
export const COLUMNS = [
  'status',
  'data_used',
  'data_limit',
  'expire_at',
  'connections',
  'unique_ips',
  'last_seen_at',
  'created_at',
  'created_by',
  'note',
] as const;
export type Column = (typeof COLUMNS)[number];

const DEFAULT: readonly Column[] = [
  'status',
  'data_used',
  'expire_at',
  'connections',
  'unique_ips',
  'last_seen_at',
  'created_by',
];

export const SORTABLE: Partial<Record<Column, SortKey>> = {
  status: 'status',
  data_used: 'data_used',
  data_limit: 'data_limit',
  expire_at: 'expire_at',
  last_seen_at: 'last_seen_at',
  created_at: 'created_at',
};

/** Those that this browser was told to show; a name from an older version is ignored. */
export function recallColumns(): Column[] {
  const chosen = recall<string[]>('columns', [...DEFAULT]);
  return COLUMNS.filter((column) => Array.isArray(chosen) && chosen.includes(column));
}
