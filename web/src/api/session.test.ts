// @vitest-environment jsdom
import { beforeEach, expect, it, vi } from 'vitest';

type Session = typeof import('./session');

const admin = { username: 'admin', is_sudo: true, created_at: '2026-01-01T00:00:00Z', last_login_at: null };
const json = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status });
const ended = () => json({ code: 'unauthorized', status: 401, detail: '' }, 401);

/** A fake panel whose access tokens and cookie a test can end. */
const server = {
  token: '',
  cookie: true,
  refreshes: 0,
  calls: [] as string[],
  me: admin,
  reuse: null as string | null,
};

async function answer(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const request = input instanceof Request ? input : new Request(input, init);
  const path = new URL(request.url).pathname;
  server.calls.push(`${request.method} ${path}`);
  if (path === '/api/admin/session/refresh') {
    server.refreshes += 1;
    if (!server.cookie) return ended();
    server.token = `t${server.refreshes}`;
    return json({ access_token: server.token });
  }
  if (path === '/api/admin/session' && request.method === 'POST') {
    const { password } = (await request.json()) as { password: string };
    if (password !== 'right') return ended();
    server.token = 'login';
    return json({ access_token: server.token, reuse_detected_at: server.reuse });
  }
  if (path === '/api/admin/session') return new Response(null, { status: 204 });
  if (request.headers.get('authorization') !== `Bearer ${server.token}`) return ended();
  if (path === '/api/admin/me') return json(server.me);
  return json({ body: await request.text() });
}

let session: Session;

beforeEach(async () => {
  Object.assign(server, { token: 'none', cookie: true, refreshes: 0, calls: [], me: admin, reuse: null });
  vi.stubGlobal('fetch', vi.fn(answer));
  vi.resetModules();
  session = await import('./session');
});

const put = () =>
  new Request('http://localhost:3000/api/users/alice', { method: 'PUT', body: '{"note":"x"}' });

it('continues after a reload by the cookie', async () => {
  await session.startSession();
  expect(session.getSession()).toEqual({ state: 'active', admin });
});

it('reports after a login that a cookie was reused, until the notice is closed or the administrator leaves', async () => {
  const at = '2026-01-31T10:00:00Z';
  await session.logIn('admin', 'right');
  expect(session.getReuse()).toBe(null);
  server.reuse = at;
  await session.logIn('admin', 'right');
  expect(session.getReuse()).toBe(at);
  session.dismissReuse();
  expect(session.getReuse()).toBe(null);
  await session.logIn('admin', 'right');
  await session.logOut();
  expect(session.getReuse()).toBe(null);
});

it('is a guest without a cookie', async () => {
  server.cookie = false;
  await session.startSession();
  expect(session.getSession().state).toBe('guest');
});

it('renews an expired token once for all requests, and sends each again with its body', async () => {
  await session.startSession();
  server.token = 'another';
  const answers = await Promise.all([put(), put(), put()].map(session.fetchAuthorized));
  for (const each of answers) expect(await each.json()).toEqual({ body: '{"note":"x"}' });
  expect(server.refreshes).toBe(2);
});

it('holds a request until the administrator has logged in again', async () => {
  await session.startSession();
  Object.assign(server, { token: 'another', cookie: false });
  const saving = session.fetchAuthorized(put());
  await vi.waitFor(() => expect(session.getSession().state).toBe('expired'));
  await expect(session.logIn('admin', 'wrong')).rejects.toMatchObject({ status: 401 });
  expect(session.getSession().state).toBe('expired');
  await session.logIn('admin', 'right');
  expect(await (await saving).json()).toEqual({ body: '{"note":"x"}' });
  expect(session.getSession().state).toBe('active');
});

it('fails the held requests when the administrator leaves instead', async () => {
  await session.startSession();
  Object.assign(server, { token: 'another', cookie: false });
  const saving = session.fetchAuthorized(put());
  await vi.waitFor(() => expect(session.getSession().state).toBe('expired'));
  session.abandonSession();
  await expect(saving).rejects.toMatchObject({ status: 401 });
  expect(session.getSession().state).toBe('guest');
});

it('does not take an unreachable panel for the end of the login session', async () => {
  await session.startSession();
  vi.stubGlobal(
    'fetch',
    vi.fn(() => Promise.reject(new TypeError('failed'))),
  );
  await expect(session.fetchAuthorized(put())).rejects.toMatchObject({ status: 0, code: 'network' });
  expect(session.getSession().state).toBe('active');
});

it('switches to the administrator of the new cookie, and sends nothing of the one before', async () => {
  await session.startSession();
  const forgotten = vi.fn();
  session.onLeave(forgotten);
  Object.assign(server, { token: 'another', me: { ...admin, username: 'other', is_sudo: false } });
  await expect(session.fetchAuthorized(put())).rejects.toMatchObject({ status: 401 });
  expect(session.getSession()).toEqual({ state: 'active', admin: server.me });
  expect(forgotten).toHaveBeenCalledOnce();
  expect(server.calls.filter((call) => call.startsWith('PUT'))).toHaveLength(1);
});

it('continues a request after a change of the role, and drops the data seen before', async () => {
  await session.startSession();
  const forgotten = vi.fn();
  session.onLeave(forgotten);
  Object.assign(server, { token: 'another', me: { ...admin, is_sudo: false } });
  expect(await (await session.fetchAuthorized(put())).json()).toEqual({ body: '{"note":"x"}' });
  expect(forgotten).toHaveBeenCalledOnce();
});

it('ends when another tab logs out', async () => {
  await session.startSession();
  vi.resetModules();
  const otherTab: Session = await import('./session');
  await otherTab.startSession();
  await otherTab.logOut();
  await vi.waitFor(() => expect(session.getSession().state).toBe('guest'));
});

it('does not ask for the password while a login is under way', async () => {
  await session.startSession();
  Object.assign(server, { token: 'changed', cookie: false });
  const states: string[] = [];
  const polling = session.fetchAuthorized(put());
  const entering = session.logIn('admin', 'right');
  await vi.waitFor(async () => {
    states.push(session.getSession().state);
    expect(server.token).toBe('login');
  });
  await entering;
  expect(await (await polling).json()).toEqual({ body: '{"note":"x"}' });
  expect(states).not.toContain('expired');
});
