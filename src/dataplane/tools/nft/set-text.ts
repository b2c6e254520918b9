import type { NftElement, NftSet } from '../../kernel/nftables/rule.js';
import { keyText, verdictText } from '../../kernel/nftables/rule.js';
import { DYNAMIC_SET_SIZE } from '../../kernel/nftables/table.js';

export const UNITS = [
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
  ['s', 1],
] as const;

/** "3h", "1m40s". */
export function durationText(seconds: number): string {
  let left = seconds;
  let text = '';
  for (const [unit, size] of UNITS) {
    if (left >= size) text += `${Math.floor(left / size)}${unit}`;
    left %= size;
  }
  return text === '' ? '0s' : text;
}

/** The lines between the braces of a set or map, without its elements. */
export function setLines(set: NftSet): string[] {
  const lines = [`type ${keyText(set.key)}${set.kind === 'map' ? ' : verdict' : ''}`];
  if (set.timeoutSeconds !== undefined)
    lines.push(`size ${DYNAMIC_SET_SIZE}`, 'flags dynamic,timeout', `timeout ${durationText(set.timeoutSeconds)}`);
  if (set.comment !== undefined) lines.push(`comment "${set.comment}"`);
  return lines;
}

export function elementText({ key, verdict, comment, expiresSeconds }: NftElement): string {
  const until = expiresSeconds === undefined ? '' : ` expires ${durationText(expiresSeconds)}`;
  const about = comment === undefined ? '' : ` comment "${comment}"`;
  return `${keyText(key)}${until}${about}${verdict === undefined ? '' : ` : ${verdictText(verdict)}`}`;
}
