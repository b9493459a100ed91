/** Numbers as people type them. */

const ZEROS = ['٠', '۰'].map((zero) => zero.charCodeAt(0));

/** Replaces Arabic and Persian digits by Latin ones. */
const latin = (text: string): string =>
  text.replace(/[٠-٩۰-۹]/g, (digit) => {
    const code = digit.charCodeAt(0);
    return String(code - (ZEROS.findLast((zero) => zero <= code) ?? 0));
  });

/** The digits of a typed whole number; everything else is removed. */
export const cleanCount = (text: string): string => latin(text).replace(/\D/g, '');

/** A typed number with at most two decimals, after a point or a comma of any keyboard. */
export function cleanDecimal(text: string): string {
  const [whole = '', ...rest] = latin(text)
    .replace(/[,٫]/g, '.')
    .replace(/[^\d.]/g, '')
    .split('.');
  return rest.length === 0 ? whole : `${whole}.${rest.join('').slice(0, 2)}`;
}
