/** The filters and the page of the audit log, as in the URL. */
export interface AuditFilters {
  actor?: string | undefined;
  action?: string | undefined;
  target?: string | undefined;
  page?: number | undefined;
}

const asText = (value: unknown) =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
/** A page number after the first, which is the default. */
const asLaterPage = (value: unknown) =>
  Number.isSafeInteger(value) && Number(value) > 1 ? Number(value) : undefined;

/** Takes the filters from a URL and leaves out what does not fit. */
export const parseAuditFilters = (query: Record<string, unknown>): AuditFilters => ({
  actor: asText(query.actor),
  action: asText(query.action),
  target: asText(query.target),
  page: asLaterPage(query.page),
});
