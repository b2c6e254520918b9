/** What C calls the bytes that cannot be seen. */
const ESCAPES: Readonly<Record<number, string>> = {
  0: '\\0',
  7: '\\a',
  8: '\\b',
  9: '\\t',
  10: '\\n',
  11: '\\v',
  12: '\\f',
  13: '\\r',
};

export const isPrintable = (byte: number): boolean => byte >= 32 && byte < 127;

/** A byte as a character in three columns: itself, its escape, or its number in octal. */
export const byteName = (byte: number): string =>
  (ESCAPES[byte] ?? (isPrintable(byte) ? String.fromCharCode(byte) : byte.toString(8).padStart(3, '0'))).padStart(3);
