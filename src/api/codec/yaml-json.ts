import type { Steps } from '../../machinery/steps.js';
import type { JsonObject } from '../../machinery/types.js';
import { JsonCursor, NotJson } from './json-cursor.js';
import { bigValues } from './json-outline.js';
import { setOwn } from './own-property.js';

const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const QUOTE = 0x22;
const COLON = 0x3a;

/** Characters of which JSON and YAML may not think the same. */
const DELICATE = /[\t\x7f-\x9f\ufeff]/;
/** The same of escapes. */
const DELICATE_ESCAPE = /\\\/|\\u[dD][89a-fA-F]/;
/** Whole numbers that are written as they are read. */
const PLAIN_NUMBER = /^[1-9][0-9]{0,14}$/;
const MANY_DIGITS = /[0-9]{16}/;
const NO_BYTES = Buffer.alloc(0);

/** What is made of the text: other text, or a value. */
interface Form<V> {
  /** Of a text without escapes, in its quotation marks; of a number that needs no rewriting. */
  plain(raw: string): V;
  /** Of any other scalar. */
  scalar(value: unknown): V;
  list(items: readonly V[]): V;
  /** `order`: the numbers of the keys as they are sorted; undefined: they are. */
  object(keys: readonly string[], values: readonly V[], order: readonly number[] | undefined): V;
}

/** Adding to a text copies nothing: what is nested a thousandfold is copied once. */
const TEXT: Form<string> = {
  plain: raw => raw,
  scalar: value => JSON.stringify(value),
  list(items) {
    let text = '[';
    for (let i = 0; i < items.length; i++) text += i === 0 ? (items[i] ?? '') : `,${items[i] ?? ''}`;
    return `${text}]`;
  },
  object(keys, values, order) {
    let text = '{';
    for (let i = 0; i < keys.length; i++) {
      const at = order?.[i] ?? i;
      text += `${i === 0 ? '' : ','}${JSON.stringify(keys[at])}:${values[at] ?? ''}`;
    }
    return `${text}}`;
  },
};

const VALUE: Form<unknown> = {
  plain: raw => (raw.charCodeAt(0) === QUOTE ? raw.slice(1, -1) : Number(raw)),
  // There is no negative zero in Go's JSON of whole numbers.
  scalar: value => (value === 0 ? 0 : value),
  list: items => items,
  object(keys, values, order) {
    const map: JsonObject = {};
    for (let i = 0; i < keys.length; i++) {
      const at = order?.[i] ?? i;
      setOwn(map, keys[at] ?? '', values[at]);
    }
    return map;
  },
};

/**
 * What YAML makes of a text that is JSON too, which is how nearly every client sends it: JSON with sorted keys, as Go
 * writes the maps that YAML becomes on its way. undefined: the text is no JSON object, gives a key twice, or may mean
 * something else as YAML.
 */
export const sortedJson = (text: string): Steps<string | undefined> => sorted(text, TEXT);

/** As sortedJson, parsed. */
export const sortedValue = (text: string): Steps<unknown> => sorted(text, VALUE);

function* sorted<V>(text: string, form: Form<V>): Steps<V | undefined> {
  if (!text.startsWith('{') || DELICATE.test(text)) return undefined;
  yield;
  try {
    const cursor = new JsonCursor(text, NO_BYTES, yield* bigValues(text));
    const result = yield* objectSteps(cursor, form);
    cursor.end();
    return result;
  } catch (error) {
    if (error instanceof NotJson) return undefined;
    throw error;
  }
}

/** What begins here is neither an object nor a list. */
function scalar<V>(cursor: JsonCursor, form: Form<V>): V {
  const start = cursor.at;
  cursor.skip();
  const raw = cursor.text.slice(start, cursor.at);
  if (raw.charCodeAt(0) === QUOTE) {
    if (!raw.includes('\\')) return form.plain(raw);
    if (DELICATE_ESCAPE.test(raw)) throw new NotJson();
  } else if (PLAIN_NUMBER.test(raw)) return form.plain(raw);
  else if (MANY_DIGITS.test(raw)) throw new NotJson();
  try {
    return form.scalar(JSON.parse(raw));
  } catch (error) {
    throw new NotJson('', { cause: error });
  }
}

/** The key of a member, up to its value. A key of YAML ends on the line of its colon. */
function keyOf(cursor: JsonCursor): string {
  if (cursor.skipSpace() !== QUOTE) throw new NotJson();
  const key = scalar(cursor, VALUE) as string;
  const end = cursor.at;
  cursor.expect(COLON);
  if (cursor.at - end > 1 && /[\r\n]/.test(cursor.text.slice(end, cursor.at))) throw new NotJson();
  return key;
}

/** How the keys are to be ordered; undefined: they are. @throws NotJson for a key that is there twice */
function orderOf(keys: readonly string[]): readonly number[] | undefined {
  let inOrder = true;
  for (let i = 1; i < keys.length && inOrder; i++) inOrder = (keys[i - 1] ?? '') < (keys[i] ?? '');
  if (inOrder) return undefined;
  const order = keys.map((_, i) => i).sort((a, b) => ((keys[a] ?? '') < (keys[b] ?? '') ? -1 : 1));
  for (let i = 1; i < order.length; i++)
    if (keys[order[i] ?? 0] === keys[order[i - 1] ?? 0]) throw new NotJson('a key that is there twice');
  return order;
}

function valueOf<V>(cursor: JsonCursor, form: Form<V>): V {
  const code = cursor.skipSpace();
  if (code === OPEN_BRACKET) {
    const items: V[] = [];
    cursor.enter();
    for (let more = cursor.first(CLOSE_BRACKET); more; more = cursor.next(CLOSE_BRACKET))
      items.push(valueOf(cursor, form));
    return form.list(items);
  }
  if (code !== OPEN_BRACE) return scalar(cursor, form);
  const keys: string[] = [];
  const values: V[] = [];
  cursor.enter();
  for (let more = cursor.first(CLOSE_BRACE); more; more = cursor.next(CLOSE_BRACE)) {
    keys.push(keyOf(cursor));
    values.push(valueOf(cursor, form));
  }
  return form.object(keys, values, orderOf(keys));
}

function* objectSteps<V>(cursor: JsonCursor, form: Form<V>): Steps<V> {
  const keys: string[] = [];
  const values: V[] = [];
  cursor.enter();
  for (let more = cursor.first(CLOSE_BRACE); more; more = cursor.next(CLOSE_BRACE)) {
    keys.push(keyOf(cursor));
    values.push(cursor.isBig() ? yield* bigSteps(cursor, form) : valueOf(cursor, form));
    if (cursor.isTired()) yield;
  }
  const order = orderOf(keys);
  yield;
  return form.object(keys, values, order);
}

function* listSteps<V>(cursor: JsonCursor, form: Form<V>): Steps<V> {
  const items: V[] = [];
  cursor.enter();
  for (let more = cursor.first(CLOSE_BRACKET); more; more = cursor.next(CLOSE_BRACKET)) {
    items.push(cursor.isBig() ? yield* bigSteps(cursor, form) : valueOf(cursor, form));
    if (cursor.isTired()) yield;
  }
  return form.list(items);
}

const bigSteps = <V>(cursor: JsonCursor, form: Form<V>): Steps<V> =>
  cursor.skipSpace() === OPEN_BRACE ? objectSteps(cursor, form) : listSteps(cursor, form);
