/**
 * Where one text is in another, in time that grows with their lengths only: JavaScript's own search compares a long
 * pattern again at every place, which is hours for texts that are made for it. Short patterns are left to it.
 */
const SHORT = 64;

/** For each place of the pattern, the length of what ends there and begins the pattern, too. */
function borders(pattern: string): Int32Array {
  const table = new Int32Array(pattern.length);
  let length = 0;
  for (let i = 1; i < pattern.length; i++) {
    const code = pattern.charCodeAt(i);
    while (length > 0 && code !== pattern.charCodeAt(length)) length = table[length - 1] ?? 0;
    if (code === pattern.charCodeAt(length)) length++;
    table[i] = length;
  }
  return table;
}

/** Knuth, Morris and Pratt: asks each character of the text once. */
function* scan(text: string, pattern: string, from: number): Generator<number, void, void> {
  const table = borders(pattern);
  let length = 0;
  for (let i = from; i < text.length; i++) {
    const code = text.charCodeAt(i);
    while (length > 0 && code !== pattern.charCodeAt(length)) length = table[length - 1] ?? 0;
    if (code !== pattern.charCodeAt(length)) continue;
    if (++length < pattern.length) continue;
    yield i - length + 1;
    // What follows does not overlap.
    length = 0;
  }
}

/** Of a pattern that is not empty: places that do not overlap, from the first one on. */
export function* occurrences(text: string, pattern: string, from = 0): Generator<number, void, void> {
  if (pattern.length > text.length - from) return;
  if (pattern.length > SHORT) {
    yield* scan(text, pattern, from);
    return;
  }
  for (let at = text.indexOf(pattern, from); at >= 0; at = text.indexOf(pattern, at + pattern.length)) yield at;
}

/** text.indexOf(pattern, from) */
export function findText(text: string, pattern: string, from = 0): number {
  if (pattern.length <= SHORT) return text.indexOf(pattern, from);
  for (const at of occurrences(text, pattern, from)) return at;
  return -1;
}

/** text.lastIndexOf(pattern, from) */
export function findTextBackwards(text: string, pattern: string, from: number): number {
  if (pattern.length <= SHORT) return text.lastIndexOf(pattern, from);
  const table = borders(pattern);
  const end = Math.min(text.length, from + pattern.length);
  let last = -1;
  let length = 0;
  for (let i = 0; i < end; i++) {
    const code = text.charCodeAt(i);
    // A whole pattern was read: what may overlap it goes on from its longest border.
    if (length === pattern.length) length = table[length - 1] ?? 0;
    while (length > 0 && code !== pattern.charCodeAt(length)) length = table[length - 1] ?? 0;
    if (code === pattern.charCodeAt(length)) length++;
    if (length === pattern.length) last = i - length + 1;
  }
  return last;
}
