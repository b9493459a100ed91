/** Names of users and administrators, checked before they are sent. The server checks them, too. */

export type NameFault = 'short' | 'long' | 'characters' | 'reserved';

/** What is wrong with a name, or null. */
export function nameFault(name: string): NameFault | null {
  if (!/^[A-Za-z0-9_.-]*$/.test(name)) return 'characters';
  if (name.length < 3) return 'short';
  if (name.length > 32) return 'long';
  if (/^scope_/i.test(name) || /^mtpannel-placeholder$/i.test(name)) return 'reserved';
  return null;
}

// Without letters and digits that are easily confused.
const ALPHABET = 'abcdefghjkmnpqrstuvwxyz23456789';

/** A random text of characters of the alphabet, each equally likely. */
function pickCharacters(length: number, alphabet: string): string {
  // Bytes at or above the largest multiple of the alphabet's length are dropped: they would favour the first letters.
  const fair = 256 - (256 % alphabet.length);
  let text = '';
  while (text.length < length) {
    for (const byte of crypto.getRandomValues(new Uint8Array(length * 2))) {
      if (byte < fair && text.length < length) text += alphabet[byte % alphabet.length];
    }
  }
  return text;
}

export const generateName = (): string => `user-${pickCharacters(6, ALPHABET)}`;

/** A password with more than 100 bits of entropy. */
export const generatePassword = (): string => pickCharacters(20, `${ALPHABET}ABCDEFGHJKLMNPQRSTUVWXYZ`);
