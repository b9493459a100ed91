import { expect, it } from 'vitest';
import { ApiError, fieldErrors, isTemporary, readProblem } from './problem';

const answer = (body: unknown, status: number, headers: Record<string, string> = {}) =>
  new Response(typeof body === 'string' ? body : JSON.stringify(body), { status, headers });

it('reads a problem document with its fields', async () => {
  const body = {
    type: 'about:blank#invalid',
    title: 'Unprocessable Entity',
    status: 422,
    detail: 'the request does not fit: data_limit',
    code: 'invalid',
    errors: [{ field: 'data_limit', message: 'must be at least 1' }],
  };
  const error = await readProblem(answer(body, 422, { 'x-request-id': 'abc' }));
  expect(error).toMatchObject({
    status: 422,
    code: 'invalid',
    fields: { data_limit: 'must be at least 1' },
    requestId: 'abc',
  });
});

it('reads the seconds to wait', async () => {
  const body = { code: 'too_many_requests', status: 429, detail: '…' };
  expect((await readProblem(answer(body, 429, { 'retry-after': '42' }))).retryAfter).toBe(42);
});

it.each(['<html>Bad gateway</html>', '', 'null', '[]', '{"error": "x"}'])(
  'reads %j as an answer of something else than the panel',
  async (text) => {
    expect(await readProblem(answer(text, 502))).toMatchObject({ status: 502, code: 'not_ours' });
  },
);

it('separates the errors of fields in the form from the rest', () => {
  const error = new ApiError(422, 'invalid', '', { note: 'too long', secret: 'unknown' });
  expect(fieldErrors(error, ['note'])).toEqual({ fields: { note: 'too long' }, rest: true });
  expect(fieldErrors(error, ['note', 'secret']).rest).toBe(false);
  expect(fieldErrors(new ApiError(403, 'forbidden', ''), ['note'])).toEqual({ fields: {}, rest: true });
  expect(fieldErrors(new Error('x'), ['note']).rest).toBe(true);
});

it('counts only failures that may pass as temporary', () => {
  expect(isTemporary(new ApiError(0, 'network', ''))).toBe(true);
  expect(isTemporary(new ApiError(503, 'unavailable', ''))).toBe(true);
  expect(isTemporary(new ApiError(404, 'not_found', ''))).toBe(false);
});
