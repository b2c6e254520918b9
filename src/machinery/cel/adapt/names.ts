import { RESERVED } from '../syntax/reserved-words.js';

/**
 * Names of properties as expressions write them, and back. Source: apiserver pkg/cel/escaping.go.
 */
const NAME = /^[a-zA-Z_.\-/][a-zA-Z0-9_.\-/]*$/;
const ESCAPED = /__|[.\-/]/g;
const SEQUENCES: ReadonlyMap<string, string> = new Map([
  ['__', '__underscores__'],
  ['.', '__dot__'],
  ['-', '__dash__'],
  ['/', '__slash__'],
]);

/** undefined: there is no way to write it */
export function escapeName(name: string): string | undefined {
  if (!NAME.test(name)) return undefined;
  if (RESERVED.has(name)) return `__${name}__`;
  return name.replace(ESCAPED, sequence => SEQUENCES.get(sequence) ?? sequence);
}
