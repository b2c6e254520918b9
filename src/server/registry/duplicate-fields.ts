import { JsonCursor } from '../../api/codec/json-cursor.js';
import type { PatchType } from './types.js';

const CLOSE_BRACE = 0x7d;
const CLOSE_BRACKET = 0x5d;

/**
 * `duplicate field "data.a"` for every member that a patch gives twice; parsing alone lets the last one win. The text is
 * known to be JSON.
 */
export function duplicateFields(json: Buffer, type: PatchType): readonly string[] {
  const cursor = new JsonCursor(json.toString(), json);
  walk(cursor);
  return type === 'json' ? cursor.strictProblems.map(problem => `json patch ${problem}`) : cursor.strictProblems;
}

function walk(cursor: JsonCursor): void {
  const token = cursor.token();
  if (token === '{') walkObject(cursor);
  else if (token === '[') walkList(cursor);
  else cursor.skip();
}

function walkObject(cursor: JsonCursor): void {
  const seen = new Set<string>();
  cursor.enter();
  if (!cursor.first(CLOSE_BRACE)) return;
  do {
    const key = cursor.key();
    if (seen.has(key)) cursor.noteStrict('duplicate', key);
    seen.add(key);
    cursor.path.push(key);
    walk(cursor);
    cursor.path.pop();
  } while (cursor.next(CLOSE_BRACE));
}

function walkList(cursor: JsonCursor): void {
  cursor.enter();
  if (!cursor.first(CLOSE_BRACKET)) return;
  let index = 0;
  do {
    cursor.path.push(index++);
    walk(cursor);
    cursor.path.pop();
  } while (cursor.next(CLOSE_BRACKET));
}
