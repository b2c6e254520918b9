const SIMPLE: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
  e: '\x1b',
  '\\': '\\',
  "'": "'",
  '"': '"',
};

/** C's backslash escapes, as echo -e, printf and $'...' know them; octal with or without a leading zero. */
export function unescapeText(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(
    /\\(?:([0-7]{1,4})|x([0-9a-fA-F]{1,2})|([^]))/g,
    (match, octal?: string, hex?: string, c?: string) => {
      if (octal !== undefined) {
        const digits = octal.startsWith('0') ? octal : octal.slice(0, 3);
        return String.fromCharCode(parseInt(digits, 8) & 255) + octal.slice(digits.length);
      }
      if (hex !== undefined) return String.fromCharCode(parseInt(hex, 16));
      return SIMPLE[c ?? ''] ?? match;
    },
  );
}
