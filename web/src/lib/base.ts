/** The panel's URL without a slash at the end. The server writes it into <base>. */
export const base = new URL('.', document.baseURI).href.replace(/\/$/, '');

/** The path of that URL, for the router. */
export const basePath = new URL(base).pathname.replace(/\/$/, '') || '/';
