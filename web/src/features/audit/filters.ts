/** The filters and the page of the audit log, as they stand in the URL. */
export interface AuditFilters {
  actor?: string | undefined;
  action?: string | undefined;
  target?: string | undefined;
  page?: number | undefined;
}

const text = (value: unknown) =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
const positive = (value: unknown) =>
  Number.isSafeInteger(value) && Number(value) > 1 ? Number(value) : undefined;

export const parseAuditFilters = (query: Record<string, unknown>): AuditFilters => ({
  actor: text(query.actor),
  action: text(query.action),
  target: text(query.target),
  page: positive(query.page),
});
