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
