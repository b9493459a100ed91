/** Choices that this browser remembers. A browser that refuses storage forgets them. */

export function recall<T>(key: string, otherwise: T): T {
  try {
    const text = localStorage.getItem(`mtpannel.${key}`);
    return text === null ? otherwise : (JSON.parse(text) as T);
  } catch {
    return otherwise;
  }
}

export function remember(key: string, value: unknown): void {
  try {
    localStorage.setItem(`mtpannel.${key}`, JSON.stringify(value));
  } catch {
    // A private window may have no storage.
  }
}
