/** Where the panel is served, without a slash at the end. The server writes it into <base>. */
export const base = new URL('.', document.baseURI).href.replace(/\/$/, '');

/** The path part of it, for the router. */
export const basePath = new URL(base).pathname.replace(/\/$/, '') || '/';
