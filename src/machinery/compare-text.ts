/** Byte order, as Go sorts strings (of ASCII, as names and addresses are). */
export const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
