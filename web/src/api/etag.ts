/** Answers that are asked for again and again come only once while nothing changes. */
import { authorized, onLeave } from './session';

interface Kept {
  tag: string;
  text: string;
}

/** More than one page asks for at once. */
const MOST = 30;
/** By address, the one used last at the end. */
const kept = new Map<string, Kept>();

onLeave(() => kept.clear());

function keep(url: string, answer: Kept): void {
  kept.delete(url);
  kept.set(url, answer);
  const [oldest] = kept.keys();
  if (kept.size > MOST && oldest !== undefined) kept.delete(oldest);
}

/** The same as `authorized`; a GET tells the panel which answer it has already. */
export async function conditional(request: Request): Promise<Response> {
  if (request.method !== 'GET') return authorized(request);
  const { url } = request;
  const known = kept.get(url);
  request.headers.set('if-none-match', known?.tag ?? '""');
  const response = await authorized(request);
  if (response.status === 304) {
    if (known) keep(url, known);
    return new Response(known?.text, { headers: { 'content-type': 'application/json' } });
  }
  const tag = response.headers.get('etag');
  if (tag) keep(url, { tag, text: await response.clone().text() });
  return response;
}
