/** Polled answers are sent again only when they have changed (ETag, If-None-Match). */
import { fetchAuthorized, onLeave } from './session';

/** A kept answer and its ETag. */
interface Kept {
  tag: string;
  text: string;
}

/** How many answers are kept: more than one page needs at once. */
const MAX_KEPT = 30;
/** By URL, the most recently used at the end. */
const kept = new Map<string, Kept>();

onLeave(() => kept.clear());

/** Keeps an answer, and drops the least recently used one if there are too many. */
function keep(url: string, answer: Kept): void {
  kept.delete(url);
  kept.set(url, answer);
  const [oldest] = kept.keys();
  if (kept.size > MAX_KEPT && oldest !== undefined) kept.delete(oldest);
}

/** Like `fetchAuthorized`; a GET also tells the panel which answer this tab has already. */
export async function fetchConditionally(request: Request): Promise<Response> {
  if (request.method !== 'GET') return fetchAuthorized(request);
  const { url } = request;
  const known = kept.get(url);
  request.headers.set('if-none-match', known?.tag ?? '""');
  const response = await fetchAuthorized(request);
  if (response.status === 304) {
    if (known) keep(url, known);
    return new Response(known?.text, { headers: { 'content-type': 'application/json' } });
  }
  const tag = response.headers.get('etag');
  if (tag) keep(url, { tag, text: await response.clone().text() });
  return response;
}
