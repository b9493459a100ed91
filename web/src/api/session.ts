/**
 * The administrator's login session in this tab. The access token is in this module's memory only, never in storage,
 * where other scripts of the origin could read it. After a reload, a cookie that scripts cannot read (HttpOnly) brings
 * a new one.
 */
import { useSyncExternalStore } from 'react';
import { base } from '~/lib/base';
import { ApiError, readProblem } from './problem';
import type { components } from './schema';

export type Admin = components['schemas']['AdminBody'];
type LoginAnswer = components['schemas']['SessionBody'];

export type Session =
  /** The panel was asked whether the cookie is still valid. */
  | { state: 'starting'; admin: null }
  /** The panel did not answer, so nothing is known. */
  | { state: 'unreachable'; admin: null }
  | { state: 'guest'; admin: null }
  | { state: 'active'; admin: Admin }
  /** Ended while a page was open. The page stays, and a dialog over it asks for the password. */
  | { state: 'expired'; admin: Admin };

let session: Session = { state: 'starting', admin: null };
let token: string | null = null;
/** The renewal of the token that is under way, if any. */
let renewal: Promise<boolean> | null = null;
/** The last login; it may still be under way. */
let login: Promise<void> | null = null;
/** Requests that wait until the administrator logs in again; called with whether they may be sent. */
let waiting: ((renewed: boolean) => void)[] = [];
const listeners = new Set<() => void>();
/** Called when an administrator leaves. */
const leaving = new Set<() => void>();

/** Other tabs of this browser that show the same panel. */
const tabs = new BroadcastChannel(`mtpannel ${base}`);
tabs.addEventListener('message', () => session.admin && leave());

function setSession(next: Session): void {
  session = next;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** When a replaced refresh token of the account was used; null once the administrator has read the notice. */
let reuse: string | null = null;

function setReuse(at: string | null): void {
  reuse = at;
  for (const listener of listeners) listener();
}

export const getReuse = (): string | null => reuse;
export const useReuse = (): string | null => useSyncExternalStore(subscribe, getReuse);
export const dismissReuse = (): void => setReuse(null);

export const getSession = (): Session => session;
export const useSession = (): Session => useSyncExternalStore(subscribe, getSession);

/** The administrator, for pages that are shown only after a login. */
export function useAdmin(): Admin {
  const { admin } = useSession();
  if (!admin) throw new Error('a page that needs a login is shown without one');
  return admin;
}

/** Requests a path under /api/admin, without renewing the token. Throws unless the answer is a success. */
async function requestAdmin(method: string, path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(`${base}/api/admin/${path}`, { method, ...init });
  } catch {
    throw new ApiError(0, 'network', '');
  }
  if (!response.ok) throw await readProblem(response);
  return response;
}

/** Keeps the access token of an answer, and returns the answer. */
async function storeToken<Body extends { access_token: string }>(response: Response): Promise<Body> {
  const body = (await response.json()) as Body;
  token = body.access_token;
  return body;
}

const bearerHeader = (): HeadersInit => ({ authorization: `Bearer ${token}` });

async function loadAdmin(): Promise<Admin> {
  return (await requestAdmin('GET', 'me', { headers: bearerHeader() })).json();
}

/** Gets a new access token by the cookie; false if the cookie is not valid any more. */
async function refresh(): Promise<boolean> {
  try {
    await storeToken(await requestAdmin('POST', 'session/refresh'));
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return false;
    throw error;
  }
}

/** Continues the login session of an earlier visit, if its cookie is still valid. */
export async function startSession(): Promise<void> {
  setSession({ state: 'starting', admin: null });
  try {
    const known = await refresh();
    setSession(known ? { state: 'active', admin: await loadAdmin() } : { state: 'guest', admin: null });
  } catch {
    setSession({ state: 'unreachable', admin: null });
  }
}

/**
 * Starts or continues the login session with the token that was just received. The token may belong to another
 * administrator, who logged in in another tab: then data and waiting requests of the one before are dropped. Returns
 * whether it is the same administrator.
 */
async function continueSession(): Promise<boolean> {
  const before = session.admin;
  const admin = await loadAdmin().catch((error) => {
    // Nothing may be sent with a token whose owner is not known.
    token = null;
    throw error;
  });
  if (before && (before.username !== admin.username || before.is_sudo !== admin.is_sudo)) dropData();
  setSession({ state: 'active', admin });
  return before === null || before.username === admin.username;
}

/** Logs in and starts the login session, or continues one that has ended. */
async function sendPassword(username: string, password: string): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const answer = await requestAdmin('POST', 'session', {
    headers,
    body: JSON.stringify({ username, password }),
  });
  const { reuse_detected_at: detected } = await storeToken<LoginAnswer>(answer);
  release(await continueSession());
  if (detected) setReuse(detected);
}

/** Logs in, for the first time or again. Requests that waited for the login are sent. */
export function logIn(username: string, password: string): Promise<void> {
  login = sendPassword(username, password);
  return login;
}

/** Lets the waiting requests continue, or fail if the token was not renewed. */
function release(renewed: boolean): void {
  const all = waiting;
  waiting = [];
  for (const resume of all) resume(renewed);
}

/** Registers what removes an administrator's data from this tab when they leave. */
export const onLeave = (run: () => void): void => void leaving.add(run);

/** Removes the data of the administrator from this tab. */
function dropData(): void {
  for (const run of leaving) run();
}

/** Ends the login session in this tab only. */
function leave(): void {
  token = null;
  reuse = null;
  dropData();
  setSession({ state: 'guest', admin: null });
  release(false);
}

/** Gives up a login session that has ended, so that another administrator can log in. */
export const abandonSession = leave;

/** Ends the login session in this browser. Throws without an answer, because the cookie is still valid then. */
export async function logOut(): Promise<void> {
  await requestAdmin('DELETE', 'session');
  leaveAllTabs();
}

/** Ends all login sessions and access tokens of the administrator. */
export async function logOutEverywhere(): Promise<void> {
  await fetchAuthorized(new Request(`${base}/api/admin/sessions`, { method: 'DELETE' }));
  leaveAllTabs();
}

/** Ends the login session in all tabs of this browser. */
function leaveAllTabs(): void {
  leave();
  tabs.postMessage('left');
}

/**
 * Replaces the token `used`: by the cookie or, if the login session has ended, by the administrator's password. Returns
 * whether the request may be sent again.
 */
function renew(used: string | null): Promise<boolean> {
  renewal ??= (async () => {
    if (session.state !== 'expired' && (await refresh())) return continueSession();
    // After a change of one's own password the page logs in by itself; the dialog must not appear meanwhile.
    await login?.catch(() => {});
    if (token !== used) return true;
    if (session.admin) setSession({ state: 'expired', admin: session.admin });
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

/**
 * `fetch` with the access token. An expired token is renewed and the request sent again. Throws unless the answer is a
 * success.
 */
export async function fetchAuthorized(request: Request): Promise<Response> {
  const again = request.clone();
  const used = token;
  let response = await send(request);
  if (response.status === 401) {
    // Another request may have renewed the token in the meantime.
    const renewed = token !== used || (await renew(used));
    if (renewed) response = await send(again);
  }
  if (!response.ok && response.status !== 304) throw await readProblem(response);
  return response;
}
