import { NetfilterError } from '../../../kernel/errors.js';

/** A value, and where it stands: `nftables[3].rule.expr[0]`. */
export interface Cursor {
  readonly value: unknown;
  readonly key: string;
  readonly parent?: Cursor;
}

/** A name of nft is not longer. */
const MAX_LENGTH = 255;
const SHOWN = 40;
/** What the text form could not say. */
const NO_NAME = /[ \t\r\n"#{};,]/;
const NO_TEXT = /["\n]/;

const shown = (text: string): string => (text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text);

/** As nft refuses JSON, which has no lines for it. */
export function refuseAt(cursor: Cursor, why: string): never {
  let path = '';
  for (let at: Cursor | undefined = cursor; at !== undefined; at = at.parent) path = at.key + path;
  throw new NetfilterError(`internal:0:0-0: Error: ${path}: ${why}`);
}

const valueText = (value: unknown): string =>
  typeof value === 'object' && value !== null
    ? Array.isArray(value)
      ? 'an array'
      : 'an object'
    : shown(String(value));

/** What there is is something else that nft knows, or nothing. */
export const notSimulated = (cursor: Cursor): never => refuseAt(cursor, `${valueText(cursor.value)} is not simulated`);

const inObject = (parent: Cursor, key: string, value: unknown): Cursor => ({ value, key: `.${shown(key)}`, parent });

export const isObject = ({ value }: Cursor): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function entriesOf(cursor: Cursor): [string, unknown][] {
  const { value } = cursor;
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.entries(value)
    : refuseAt(cursor, `expected an object, got ${valueText(value)}`);
}

export interface Members {
  /** @throws NetfilterError when it is missing */
  get(key: string): Cursor;
  find(key: string): Cursor | undefined;
}

/** Of an object that has no others. */
export function membersOf(cursor: Cursor, ...known: readonly string[]): Members {
  const members = new Map<string, Cursor>();
  for (const [key, value] of entriesOf(cursor)) {
    if (!known.includes(key)) refuseAt(cursor, `${shown(key)} is not simulated`);
    members.set(key, inObject(cursor, key, value));
  }
  return {
    get: key => members.get(key) ?? refuseAt(cursor, `object item not found: ${key}`),
    find: key => members.get(key),
  };
}

/** Of an object that has only one. */
export function onlyMember(cursor: Cursor): readonly [kind: string, Cursor] {
  const entries = entriesOf(cursor);
  const [first] = entries;
  if (first === undefined || entries.length > 1) return refuseAt(cursor, 'expected an object of one member');
  return [first[0], inObject(cursor, ...first)];
}

export function itemsOf(cursor: Cursor): Cursor[] {
  const { value } = cursor;
  return Array.isArray(value)
    ? value.map((item: unknown, i) => ({ value: item, key: `[${i}]`, parent: cursor }))
    : refuseAt(cursor, `expected an array, got ${valueText(value)}`);
}

/** Both of an array of two. */
export function pairOf(cursor: Cursor): readonly [Cursor, Cursor] {
  const items = itemsOf(cursor);
  const [first, second] = items;
  return first === undefined || second === undefined || items.length > 2
    ? refuseAt(cursor, 'expected an array of two')
    : [first, second];
}

export function textOf(cursor: Cursor): string {
  const { value } = cursor;
  if (typeof value !== 'string') return refuseAt(cursor, `expected a string, got ${valueText(value)}`);
  if (value.length > MAX_LENGTH) refuseAt(cursor, `it is longer than ${MAX_LENGTH}`);
  return NO_TEXT.test(value) ? refuseAt(cursor, 'quotes and ends of lines are not simulated') : value;
}

/** Of a table, chain, set or map. */
export function nameOf(cursor: Cursor): string {
  const name = textOf(cursor);
  return name === '' || NO_NAME.test(name) ? refuseAt(cursor, `"${shown(name)}" is no name`) : name;
}

/** "@name" */
export function setNameOf(cursor: Cursor): string {
  const text = textOf(cursor);
  return text.startsWith('@') ? nameOf({ ...cursor, value: text.slice(1) }) : notSimulated(cursor);
}

export function numberOf(cursor: Cursor, least: number, most: number): number {
  const { value } = cursor;
  return typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most
    ? value
    : refuseAt(cursor, `${valueText(value)} is no number from ${least} to ${most}`);
}

/** That value and no other. */
export function expectValue(cursor: Cursor, value: string | number | null): void {
  if (cursor.value !== value) notSimulated(cursor);
}
