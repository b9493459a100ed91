// @vitest-environment jsdom
import { beforeEach, expect, it, vi } from 'vitest';

const server = { text: '{"n":1}', tag: 'W/"1"', asked: [] as (string | null)[] };

async function answer(input: RequestInfo | URL): Promise<Response> {
  if (!(input instanceof Request)) return new Response(null, { status: 204 });
  const known = input.headers.get('if-none-match');
  server.asked.push(known);
  const headers = { etag: server.tag };
  if (known === server.tag) return new Response(null, { status: 304, headers });
  return new Response(server.text, { headers });
}

let etag: typeof import('./etag');
let session: typeof import('./session');

beforeEach(async () => {
  Object.assign(server, { text: '{"n":1}', tag: 'W/"1"', asked: [] });
  vi.stubGlobal('fetch', vi.fn(answer));
  vi.resetModules();
  session = await import('./session');
  etag = await import('./etag');
});

const get = async (path = 'users') => {
  const response = await etag.fetchConditionally(new Request(`http://localhost:3000/api/${path}`));
  return { status: response.status, body: await response.json() };
};

it('answers from its memory while nothing changes, and with the new answer after a change', async () => {
  expect(await get()).toEqual({ status: 200, body: { n: 1 } });
  expect(await get()).toEqual({ status: 200, body: { n: 1 } });
  Object.assign(server, { text: '{"n":2}', tag: 'W/"2"' });
  expect(await get()).toEqual({ status: 200, body: { n: 2 } });
  expect(server.asked).toEqual(['""', 'W/"1"', 'W/"1"']);
});

it('forgets what was not requested for long, and everything at the end of a login session', async () => {
  await get();
  for (let n = 0; n < 30; n++) await get(`users/${n}`);
  await get();
  expect(server.asked.at(-1)).toBe('""');
  await session.logOut();
  await get();
  expect(server.asked.at(-1)).toBe('""');
});

it('sends no tag with a request that changes something', async () => {
  await etag.fetchConditionally(
    new Request('http://localhost:3000/api/users', { method: 'POST', body: '{}' }),
  );
  expect(server.asked).toEqual([null]);
});
