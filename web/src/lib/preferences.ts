/** Choices that are kept in this browser; without storage they are lost with the page. */

/** Reads a choice. */
export function recall<T>(key: string, otherwise: T): T {
  try {
    const text = localStorage.getItem(`mtpannel.${key}`);
    return text === null ? otherwise : (JSON.parse(text) as T);
  } catch {
    return otherwise;
  }
}

/** Keeps a choice. */
export function remember(key: string, value: unknown): void {
  try {
    localStorage.setItem(`mtpannel.${key}`, JSON.stringify(value));
  } catch {
    // A private window may have no storage.
  }
}
