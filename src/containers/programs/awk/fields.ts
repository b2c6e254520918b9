import type { Steps } from '../../../machinery/steps.js';

/** What is longer is worked on in steps. */
export const LONG_TEXT = 64 * 1024;

const CHARACTERS_PER_STEP = 16_384;
const FIELDS_PER_STEP = 1024;

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09 || code === 0x0a;

/** What lies between runs of blanks. */
export function* fieldsBetweenBlanks(text: string): Steps<string[]> {
  const fields: string[] = [];
  let start = -1;
  for (let at = 0; at < text.length; at++) {
    if (at % CHARACTERS_PER_STEP === CHARACTERS_PER_STEP - 1) yield;
    if (!isBlank(text.charCodeAt(at))) {
      if (start < 0) start = at;
    } else if (start >= 0) {
      fields.push(text.slice(start, at));
      start = -1;
    }
  }
  if (start >= 0) fields.push(text.slice(start));
  return fields;
}

/** What lies between characters that separate. */
export function* fieldsBetween(text: string, separator: string): Steps<string[]> {
  const fields: string[] = [];
  let at = 0;
  for (let end = text.indexOf(separator); end >= 0; end = text.indexOf(separator, at)) {
    if (fields.length % FIELDS_PER_STEP === FIELDS_PER_STEP - 1) yield;
    fields.push(text.slice(at, end));
    at = end + separator.length;
  }
  fields.push(text.slice(at));
  return fields;
}

/** Each character of its own. */
export function* characters(text: string): Steps<string[]> {
  const fields: string[] = [];
  for (const character of text) {
    if (fields.length % CHARACTERS_PER_STEP === CHARACTERS_PER_STEP - 1) yield;
    fields.push(character);
  }
  return fields;
}
