import type { Json } from '../../../../machinery/types.js';

/** As jansson writes it for nft: on one line, with a blank behind each colon and comma. What it is given nests a few levels. */
export function jsonText(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(jsonText).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([key, member]) => `${JSON.stringify(key)}: ${jsonText(member)}`);
  return `{${members.join(', ')}}`;
}
