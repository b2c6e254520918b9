/**
 * Go's strings.Trim with a cutset of one character. Not a regular expression: `/\/+$/` tries every run of slashes again
 * from each of its characters, which is quadratic in what a client sends.
 */
export function trimStart(text: string, char: string): string {
  let start = 0;
  while (start < text.length && text[start] === char) start++;
  return text.slice(start);
}

export function trimEnd(text: string, char: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === char) end--;
  return text.slice(0, end);
}

export const trimBoth = (text: string, char: string): string => trimEnd(trimStart(text, char), char);
