/** Names of users and administrators. The server has the last word; this tells early. */

export type NameFault = 'short' | 'long' | 'characters' | 'reserved';

export function nameFault(name: string): NameFault | null {
  if (!/^[A-Za-z0-9_.-]*$/.test(name)) return 'characters';
  if (name.length < 3) return 'short';
  if (name.length > 32) return 'long';
  if (/^scope_/i.test(name) || /^mtpannel-placeholder$/i.test(name)) return 'reserved';
  return null;
}

// Without letters and digits that look alike when they are read out.
const ALPHABET = 'abcdefghjkmnpqrstuvwxyz23456789';

function pick(length: number, alphabet: string): string {
  // 256 is no multiple of the alphabet: bytes above its largest multiple would favour the first letters.
  const fair = 256 - (256 % alphabet.length);
  let text = '';
  while (text.length < length) {
    for (const byte of crypto.getRandomValues(new Uint8Array(length * 2))) {
      if (byte < fair && text.length < length) text += alphabet[byte % alphabet.length];
    }
  }
  return text;
}

export const generateName = (): string => `user-${pick(6, ALPHABET)}`;

/** About 100 bits. */
export const generatePassword = (): string => pick(20, `${ALPHABET}ABCDEFGHJKLMNPQRSTUVWXYZ`);
