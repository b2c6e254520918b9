import { canonicalIP, familyOf } from '../../../../machinery/ip.js';
import { parseCidr, parseRange } from '../../../../machinery/cidr.js';
import type { NftAddresses, NftAddressSide, NftField, NftVerdict } from '../../../kernel/nftables/rule.js';
import type { Family } from '../../../packet.js';
import { ipOf } from '../family-name.js';
import { isVerdictName } from '../parse-elements.js';
import {
  type Cursor,
  expectValue,
  isObject,
  itemsOf,
  membersOf,
  nameOf,
  notSimulated,
  numberOf,
  onlyMember,
  pairOf,
  refuseAt,
  setNameOf,
  textOf,
} from './cursor.js';

/** Undefined: `kind` is that of no verdict. `inner`: what stands behind it. */
export function verdictOf(kind: string, inner: Cursor): NftVerdict | undefined {
  if (isVerdictName(kind)) {
    expectValue(inner, null);
    return { kind };
  }
  if (kind !== 'jump' && kind !== 'goto') return undefined;
  return { kind, chain: nameOf(membersOf(inner, 'target').get('target')) };
}

export function readVerdict(cursor: Cursor): NftVerdict {
  const [kind, inner] = onlyMember(cursor);
  return verdictOf(kind, inner) ?? refuseAt(inner, 'it is no verdict');
}

/** Source or destination of a packet. */
export function readSide(cursor: Cursor, family: Family): NftAddressSide {
  const field = readField(cursor, family);
  return field === 'saddr' || field === 'daddr' ? field : refuseAt(cursor, 'only addresses are simulated here');
}

/** A part of a key: `{"payload": ...}`, `{"meta": ...}`. */
export function readField(cursor: Cursor, family: Family): NftField {
  const [kind, inner] = onlyMember(cursor);
  if (kind === 'meta') {
    expectValue(membersOf(inner, 'key').get('key'), 'l4proto');
    return 'l4proto';
  }
  if (kind !== 'payload') return refuseAt(inner, 'it is not simulated');
  const members = membersOf(inner, 'protocol', 'field');
  const [protocol, field] = [members.get('protocol'), members.get('field')];
  if (protocol.value === 'th') {
    expectValue(field, 'dport');
    return 'dport';
  }
  expectValue(protocol, ipOf(family));
  return field.value === 'saddr' || field.value === 'daddr' ? field.value : notSimulated(field);
}

export function readAddress(cursor: Cursor, family: Family): string {
  const text = textOf(cursor);
  const address = familyOf(text) === family ? canonicalIP(text) : undefined;
  return address ?? refuseAt(cursor, `${text} is no address of ${family}`);
}

/** An address, `{"prefix": ...}` or `{"range": ...}`, as rules have it. */
function readElement(cursor: Cursor, family: Family): string {
  if (!isObject(cursor)) return readAddress(cursor, family);
  const [kind, inner] = onlyMember(cursor);
  if (kind === 'prefix') {
    const members = membersOf(inner, 'addr', 'len');
    const length = numberOf(members.get('len'), 0, family === 'IPv4' ? 32 : 128);
    const text = `${readAddress(members.get('addr'), family)}/${length}`;
    return parseCidr(text)?.text ?? refuseAt(inner, `${text} is no prefix`);
  }
  if (kind !== 'range') return refuseAt(inner, 'it is not simulated');
  const [first, last] = pairOf(inner);
  const text = `${readAddress(first, family)}-${readAddress(last, family)}`;
  return parseRange(text) === undefined ? refuseAt(inner, `${text} is no range`) : text;
}

/** What an address is compared with. */
export function readAddresses(cursor: Cursor, family: Family): NftAddresses {
  if (typeof cursor.value === 'string' && cursor.value.startsWith('@')) return { kind: 'set', name: setNameOf(cursor) };
  if (!isObject(cursor)) return { kind: 'listed', elements: [readAddress(cursor, family)] };
  const [kind, inner] = onlyMember(cursor);
  if (kind !== 'set') return { kind: 'listed', elements: [readElement(cursor, family)] };
  const elements = itemsOf(inner).map(item => readElement(item, family));
  const [first] = elements;
  if (first === undefined) return refuseAt(inner, 'a list without addresses');
  // As in the text: the merge of several is a set of one.
  return { kind: 'listed', elements: elements.length === 1 ? [first, first] : elements };
}
