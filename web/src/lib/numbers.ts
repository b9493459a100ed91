/** Numbers as people type them. */

const ZEROS = ['٠', '۰'].map((zero) => zero.charCodeAt(0));

/** The digits of Arabic and Persian keyboards as the others know them. */
const latin = (text: string): string =>
  text.replace(/[٠-٩۰-۹]/g, (digit) => {
    const code = digit.charCodeAt(0);
    return String(code - (ZEROS.findLast((zero) => zero <= code) ?? 0));
  });

/** The digits of a whole number; whatever else was typed is left out. */
export const typedCount = (text: string): string => latin(text).replace(/\D/g, '');

/** The same with two places after a point, whichever sign stands for it. */
export function typedDecimal(text: string): string {
  const [whole = '', ...rest] = latin(text)
    .replace(/[,٫]/g, '.')
    .replace(/[^\d.]/g, '')
    .split('.');
  return rest.length === 0 ? whole : `${whole}.${rest.join('').slice(0, 2)}`;
}
