/** Byte order, as Go sorts strings (of ASCII, as names and addresses are). */
export const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The first in that order, found in one walk; undefined: there is none. */
export function firstText(texts: Iterable<string>): string | undefined {
  let first: string | undefined;
  for (const text of texts) if (first === undefined || text < first) first = text;
  return first;
}
