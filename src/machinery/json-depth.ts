/**
 * How deep arrays and objects may be in each other. Upstream's decoders stop at 10,000; here code that walks values calls
 * itself, and what is deeper than this is refused as upstream refuses what is deeper than that, before anything walks it.
 */
export const MAX_JSON_DEPTH = 1000;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Whether JSON text is nested deeper than that. Of text that is no JSON it says something, in linear time. */
export function isTooDeep(json: Uint8Array): boolean {
  if (json.length < 2 * MAX_JSON_DEPTH) return false;
  let depth = 0;
  for (let i = 0; i < json.length; i++) {
    const byte = json[i];
    if (byte === QUOTE) {
      for (i++; i < json.length && json[i] !== QUOTE; i++) if (json[i] === BACKSLASH) i++;
    } else if (byte === 0x5b || byte === 0x7b) {
      if (++depth > MAX_JSON_DEPTH) return true;
    } else if (byte === 0x5d || byte === 0x7d) depth--;
  }
  return false;
}
