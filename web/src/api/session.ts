/**
 * Who is logged in. The access token lives in this module only: no storage, so no other script of the page's origin
 * finds it after a reload. A cookie that scripts cannot read brings a new one.
 */
import { useSyncExternalStore } from 'react';
import { base } from '~/lib/base';
import { ApiError, readProblem } from './problem';
import type { components } from './schema';

export type Admin = components['schemas']['AdminBody'];
type Begun = components['schemas']['SessionBody'];

export type Session =
  /** Asking whether the cookie is still good. */
  | { state: 'starting'; admin: null }
  /** The panel did not answer; nothing is known. */
  | { state: 'unreachable'; admin: null }
  | { state: 'guest'; admin: null }
  | { state: 'active'; admin: Admin }
  /** It ended while a page was open. The page stays, and a dialog over it asks for the password. */
  | { state: 'expired'; admin: Admin };

let session: Session = { state: 'starting', admin: null };
let token: string | null = null;
let renewal: Promise<boolean> | null = null;
/** The last login, which may be under way. */
let login: Promise<void> | null = null;
/** Requests that wait until the administrator has logged in again. */
let waiting: ((renewed: boolean) => void)[] = [];
const listeners = new Set<() => void>();
const leaving = new Set<() => void>();

/** Other tabs of this browser that show the same panel. */
const tabs = new BroadcastChannel(`mtpannel ${base}`);
tabs.addEventListener('message', () => session.admin && leave());

function become(next: Session): void {
  session = next;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** When a replaced refresh token of the account was used, until the administrator has read it. */
let reuse: string | null = null;

function tellReuse(at: string | null): void {
  reuse = at;
  for (const listener of listeners) listener();
}

export const getReuse = (): string | null => reuse;
export const useReuse = (): string | null => useSyncExternalStore(subscribe, getReuse);
export const dismissReuse = (): void => tellReuse(null);

export const getSession = (): Session => session;
export const useSession = (): Session => useSyncExternalStore(subscribe, getSession);

/** For pages that are shown to those who are logged in only. */
export function useAdmin(): Admin {
  const { admin } = useSession();
  if (!admin) throw new Error('a page of the inside is shown outside');
  return admin;
}

async function call(method: string, path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(`${base}/api/admin/${path}`, { method, ...init });
  } catch {
    throw new ApiError(0, 'network', '');
  }
  if (!response.ok) throw await readProblem(response);
  return response;
}

async function takeToken<Body extends { access_token: string }>(response: Response): Promise<Body> {
  const body = (await response.json()) as Body;
  token = body.access_token;
  return body;
}

const bearer = (): HeadersInit => ({ authorization: `Bearer ${token}` });

async function whoAmI(): Promise<Admin> {
  return (await call('GET', 'me', { headers: bearer() })).json();
}

async function refresh(): Promise<boolean> {
  try {
    await takeToken(await call('POST', 'session/refresh'));
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return false;
    throw error;
  }
}

/** Whether the cookie of an earlier visit is still good. */
export async function startSession(): Promise<void> {
  become({ state: 'starting', admin: null });
  try {
    const known = await refresh();
    become(known ? { state: 'active', admin: await whoAmI() } : { state: 'guest', admin: null });
  } catch {
    become({ state: 'unreachable', admin: null });
  }
}

/**
 * Begins or goes on with the token that has just come. It may be another administrator's, who has logged in in another
 * tab: then nothing of the one before stays, and nothing that he asked for is sent. Answers whether it is the same.
 */
async function enter(): Promise<boolean> {
  const before = session.admin;
  const admin = await whoAmI().catch((error) => {
    // Whose it is must be known before anything is sent with it.
    token = null;
    throw error;
  });
  if (before && (before.username !== admin.username || before.is_sudo !== admin.is_sudo)) forget();
  become({ state: 'active', admin });
  return before === null || before.username === admin.username;
}

async function sendPassword(username: string, password: string): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const answer = await call('POST', 'session', { headers, body: JSON.stringify({ username, password }) });
  const { reuse_detected_at: detected } = await takeToken<Begun>(answer);
  release(await enter());
  if (detected) tellReuse(detected);
}

/** Logs in, for the first time or again; requests that waited for it go on. */
export function logIn(username: string, password: string): Promise<void> {
  login = sendPassword(username, password);
  return login;
}

function release(renewed: boolean): void {
  const all = waiting;
  waiting = [];
  for (const go of all) go(renewed);
}

/** What is to be done when an administrator leaves, so that nothing of his stays. */
export const onLeave = (run: () => void): void => void leaving.add(run);

function forget(): void {
  for (const run of leaving) run();
}

function leave(): void {
  token = null;
  reuse = null;
  forget();
  become({ state: 'guest', admin: null });
  release(false);
}

/** Gives up a session that has ended, for another administrator. */
export const abandonSession = leave;

/** Ends the session in this browser. Without an answer the cookie stays, and whoever asked must know. */
export async function logOut(): Promise<void> {
  await call('DELETE', 'session');
  leaveEverywhere();
}

export async function logOutEverywhere(): Promise<void> {
  await authorized(new Request(`${base}/api/admin/sessions`, { method: 'DELETE' }));
  leaveEverywhere();
}

function leaveEverywhere(): void {
  leave();
  tabs.postMessage('left');
}

/** A new token instead of `used`, by the cookie or, if that has ended too, by the administrator's password. */
function renew(used: string | null): Promise<boolean> {
  renewal ??= (async () => {
    if (session.state !== 'expired' && (await refresh())) return enter();
    // Whoever changes his password logs in by himself, and is not to be asked for it.
    await login?.catch(() => {});
    if (token !== used) return true;
    if (session.admin) become({ state: 'expired', admin: session.admin });
    return new Promise<boolean>((resolve) => waiting.push(resolve));
  })().finally(() => {
    renewal = null;
  });
  return renewal;
}

async function send(request: Request): Promise<Response> {
  if (token) request.headers.set('authorization', `Bearer ${token}`);
  try {
    return await fetch(request);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError(0, 'network', '');
  }
}

/** fetch with the token. When that has run out, it is renewed and the request sent again. Throws what is no success. */
export async function authorized(request: Request): Promise<Response> {
  const again = request.clone();
  const used = token;
  let response = await send(request);
  if (response.status === 401) {
    // Another request may have brought a new token in the meantime.
    const renewed = token !== used || (await renew(used));
    if (renewed) response = await send(again);
  }
  if (!response.ok && response.status !== 304) throw await readProblem(response);
  return response;
}
