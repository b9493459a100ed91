/** The columns that are shown in this browser. */
import { COLUMNS, type Column } from '~/features/users/shared/columns';
import { recall, remember } from '~/lib/preferences';

const DEFAULT: readonly Column[] = [
  'status',
  'data_used',
  'expire_at',
  'connections',
  'unique_ips',
  'last_seen_at',
  'created_by',
];

/** Reads the chosen columns. A column that only an older version had is ignored. */
export function recallColumns(): Column[] {
  const chosen = recall<string[]>('columns', [...DEFAULT]);
  return COLUMNS.filter((column) => Array.isArray(chosen) && chosen.includes(column));
}

export const rememberColumns = (columns: Column[]): void => remember('columns', columns);
