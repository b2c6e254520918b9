import type { Match } from '../../../machinery/regex/match.js';
import type { Command } from './script.js';

/** What a match is replaced with: text, groups, and letters made large or small. */
export function expand(
  replacement: NonNullable<Command['substitution']>['replacement'],
  text: string,
  { groups }: Match,
): string {
  let out = '';
  let fold = '';
  let once = '';
  const put = (piece: string): void => {
    let shown = fold === 'U' ? piece.toUpperCase() : fold === 'L' ? piece.toLowerCase() : piece;
    if (once !== '' && shown !== '') {
      const head = shown.slice(0, 1);
      shown = (once === 'u' ? head.toUpperCase() : head.toLowerCase()) + shown.slice(1);
      once = '';
    }
    out += shown;
  };
  for (const part of replacement)
    if ('text' in part) put(part.text);
    else if ('group' in part) {
      const [start = -1, end = -1] = [groups[part.group * 2], groups[part.group * 2 + 1]];
      if (start >= 0) put(text.slice(start, end));
    } else if (part.fold === 'u' || part.fold === 'l') once = part.fold;
    else fold = part.fold === 'E' ? '' : part.fold;
  return out;
}
