import type { NftElement, NftKeyType, NftSet } from '../../../kernel/nftables/rule.js';
import { DYNAMIC_SET_SIZE } from '../../../kernel/nftables/table.js';
import { elementFault, KEY_TYPES, keyFault, keyPartOf } from '../keys.js';
import { MAX_SECONDS } from '../parse-duration.js';
import { type SetParts, setOf } from '../set-parts.js';
import {
  type Cursor,
  expectValue,
  isObject,
  itemsOf,
  type Members,
  membersOf,
  notSimulated,
  numberOf,
  onlyMember,
  pairOf,
  refuseAt,
  textOf,
} from './cursor.js';
import { readVerdict } from './parse-values.js';

export const SET_MEMBERS = ['type', 'map', 'comment', 'size', 'flags', 'timeout', 'elem'];

const readTypes = (cursor: Cursor): NftKeyType[] =>
  (typeof cursor.value === 'string' ? [cursor] : itemsOf(cursor)).map(
    one => KEY_TYPES.find(type => type === one.value) ?? notSimulated(one),
  );

/** nft 1.0.6 leaves out that a set with a timeout is dynamic; later ones say it. */
function readFlags(cursor: Cursor): true {
  const flags = itemsOf(cursor);
  for (const flag of flags) if (flag.value !== 'timeout' && flag.value !== 'dynamic') notSimulated(flag);
  return flags.some(({ value }) => value === 'timeout')
    ? true
    : refuseAt(cursor, 'only sets with the flag timeout are simulated');
}

/** What a set or map says of itself. */
export function readSet(cursor: Cursor, members: Members, name: string, kind: NftSet['kind']): NftSet {
  const parts: SetParts = { key: readTypes(members.get('type')) };
  if (parts.key?.length === 0) refuseAt(cursor, `the ${kind} ${name} has no type`);
  const [map, comment, size] = [members.find('map'), members.find('comment'), members.find('size')];
  const [flags, timeout] = [members.find('flags'), members.find('timeout')];
  if (map !== undefined) {
    expectValue(map, 'verdict');
    parts.hasVerdict = true;
  }
  if (comment !== undefined) parts.comment = textOf(comment);
  if (size !== undefined) {
    expectValue(size, DYNAMIC_SET_SIZE);
    parts.sized = true;
  }
  if (flags !== undefined) parts.dynamic = readFlags(flags);
  if (timeout !== undefined) parts.timeoutSeconds = numberOf(timeout, 1, MAX_SECONDS);
  return setOf(name, kind, parts, why => refuseAt(cursor, why));
}

/** A value, or `{"concat": [...]}`. `set`: what it is the key of, when it is known. */
export function readKey(cursor: Cursor, set: NftSet | undefined): string[] {
  const parts = isObject(cursor) ? concatOf(cursor) : [cursor];
  const fault = keyFault(
    parts.map(() => ''),
    set,
  );
  if (parts.length === 0 || parts.length > KEY_TYPES.length || fault !== undefined)
    return refuseAt(cursor, fault ?? `a key of ${parts.length} parts`);
  return parts.map((part, i) => readPart(part, set?.key[i]));
}

function concatOf(cursor: Cursor): Cursor[] {
  const [kind, inner] = onlyMember(cursor);
  return kind === 'concat' ? itemsOf(inner) : refuseAt(inner, 'it is not simulated');
}

/** Ports are numbers, nothing else is. */
function readPart(cursor: Cursor, type: NftKeyType | undefined): string {
  const isNumber = typeof cursor.value === 'number';
  const text = isNumber ? String(cursor.value) : textOf(cursor);
  const of = type ?? (isNumber ? 'inet_service' : undefined);
  const part = (of === 'inet_service') === isNumber ? keyPartOf(text, of) : undefined;
  return part ?? refuseAt(cursor, of === undefined ? `${text} is no key` : `${text} is no ${of}`);
}

function readKeyed(cursor: Cursor, set: NftSet | undefined): NftElement {
  const [kind, inner] = isObject(cursor) ? onlyMember(cursor) : ['', cursor];
  if (kind !== 'elem') return { key: readKey(cursor, set) };
  const members = membersOf(inner, 'val', 'comment', 'expires');
  const [comment, expires] = [members.find('comment'), members.find('expires')];
  return {
    key: readKey(members.get('val'), set),
    ...(comment === undefined ? {} : { comment: textOf(comment) }),
    ...(expires === undefined ? {} : { expiresSeconds: numberOf(expires, 0, MAX_SECONDS) }),
  };
}

/** A key, one with what is said of it, or the two with a verdict. */
export function readElement(cursor: Cursor, set: NftSet | undefined): NftElement {
  const [keyed, verdict] = Array.isArray(cursor.value) ? pairOf(cursor) : [cursor];
  const element = {
    ...readKeyed(keyed, set),
    ...(verdict === undefined ? {} : { verdict: readVerdict(verdict) }),
  };
  const fault = elementFault(element, set);
  return fault === undefined ? element : refuseAt(cursor, fault);
}
