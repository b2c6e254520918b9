import { readFile } from 'node:fs/promises';
import { API_VERSION, KIND, readBehaviourFile, type BehaviourFile } from '../containers/behaviour/file.js';
import type { BehaviourRule } from './behaviour-types.js';

/** A text rather than a path: it has a member or several lines, which no file's name has. */
const isText = (source: string): boolean => /\n|^\s*\{|:\s/.test(source);

/** The text of a behaviour file that says the same. */
export const behaviourText = (source: string | readonly BehaviourRule[]): string =>
  typeof source === 'string' ? source : JSON.stringify({ apiVersion: API_VERSION, kind: KIND, rules: source });

/**
 * Reads a behaviour file, its text, or a list of rules; undefined: nothing is told.
 * @throws BehaviourFileError naming the line and the field, or what reading the file throws
 */
export async function readBehaviour(
  source: string | readonly BehaviourRule[] | undefined,
): Promise<BehaviourFile | undefined> {
  if (source === undefined) return undefined;
  const text = behaviourText(source);
  return isText(text) ? readBehaviourFile(text, 'behaviour') : readBehaviourFile(await readFile(text, 'utf8'), text);
}
