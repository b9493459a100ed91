import type { components } from './schema';

type ProblemBody = components['schemas']['Problem'];

/** What the API, or the way to it, answered instead of what was asked for. */
export class ApiError extends Error {
  constructor(
    /** HTTP status; 0 if there was no answer. */
    readonly status: number,
    /** Stable word of the problem document, or our own for answers that are none. */
    readonly code: string,
    /** The server's words, English. */
    readonly detail: string,
    /** What is wrong with which field. */
    readonly fields: Readonly<Record<string, string>> = {},
    /** Seconds after which it may be tried again. */
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

/** Reads an answer that is no success. A proxy in between may answer with a page of its own. */
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

/** The errors of the fields that a form has, and whether it must tell the rest in another place. */
export function fieldErrors(error: unknown, known: readonly string[]) {
  if (!(error instanceof ApiError)) return { fields: {}, rest: true };
  const entries = Object.entries(error.fields);
  const fields = Object.fromEntries(entries.filter(([field]) => known.includes(field)));
  return { fields, rest: entries.length === 0 || Object.keys(fields).length < entries.length };
}

export const isTemporary = (error: unknown): boolean =>
  error instanceof ApiError && (error.status === 0 || error.status >= 500);
