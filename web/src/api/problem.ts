import type { components } from './schema';

type ProblemBody = components['schemas']['Problem'];

/** An answer of the API, or of a proxy before it, that is not a success; or no answer at all. */
export class ApiError extends Error {
  constructor(
    /** HTTP status; 0 without an answer. */
    readonly status: number,
    /** Code of the problem document; `network` and `not_ours` are codes of this client. */
    readonly code: string,
    /** The server's explanation, in English. */
    readonly detail: string,
    /** The error of each field that is not valid. */
    readonly fields: Readonly<Record<string, string>> = {},
    /** Seconds after which the request may be repeated. */
    readonly retryAfter: number | null = null,
    readonly requestId: string | null = null,
  ) {
    super(detail || code);
    this.name = 'ApiError';
  }
}

function isProblem(body: unknown): body is ProblemBody {
  return typeof body === 'object' && body !== null && 'code' in body && typeof body.code === 'string';
}

/** Turns an answer that is not a success into an error. It may be a reverse proxy's HTML page. */
export async function readProblem(response: Response): Promise<ApiError> {
  const requestId = response.headers.get('x-request-id');
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  const retryAfter = Number.isFinite(seconds) ? seconds : null;
  const body: unknown = await response.json().catch(() => null);
  if (!isProblem(body)) {
    return new ApiError(response.status, 'not_ours', response.statusText, {}, retryAfter, requestId);
  }
  const fields = Object.fromEntries((body.errors ?? []).map(({ field, message }) => [field, message]));
  return new ApiError(response.status, body.code, body.detail, fields, retryAfter, requestId);
}

/** The errors of the fields that a form has; `rest` says whether the form must show the error in another place, too. */
export function fieldErrors(error: unknown, known: readonly string[]) {
  if (!(error instanceof ApiError)) return { fields: {}, rest: true };
  const entries = Object.entries(error.fields);
  const fields = Object.fromEntries(entries.filter(([field]) => known.includes(field)));
  return { fields, rest: entries.length === 0 || Object.keys(fields).length < entries.length };
}

/** Whether the same request may succeed later. */
export const isTemporary = (error: unknown): boolean =>
  error instanceof ApiError && (error.status === 0 || error.status >= 500);
