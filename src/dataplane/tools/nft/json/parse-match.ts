import type { NftExpression } from '../../../kernel/nftables/rule.js';
import type { Family } from '../../../packet.js';
import { protocolOf, stateOf } from '../parse-expressions.js';
import {
  type Cursor,
  expectValue,
  itemsOf,
  membersOf,
  notSimulated,
  numberOf,
  onlyMember,
  pairOf,
  refuseAt,
  textOf,
} from './cursor.js';
import { readAddresses, readSide } from './parse-values.js';

export const MAX_MARK = 0xff_ff_ff_ff;

interface Comparison {
  readonly op: Cursor;
  readonly left: Cursor;
  readonly right: Cursor;
}

/** Whether it is != where it may be. */
function inverted({ op }: Comparison): { invert?: true } {
  if (op.value === '!=') return { invert: true };
  expectValue(op, '==');
  return {};
}

/** `{"meta": {"key": "mark"}}` */
export function expectMark(cursor: Cursor): void {
  const [kind, inner] = onlyMember(cursor);
  if (kind !== 'meta') refuseAt(inner, 'it is not simulated');
  expectValue(membersOf(inner, 'key').get('key'), 'mark');
}

function readMeta(inner: Cursor, comparison: Comparison): NftExpression {
  const { op, right } = comparison;
  const key = membersOf(inner, 'key').get('key');
  if (key.value === 'iifname') return { kind: 'iifname', ...inverted(comparison), name: textOf(right) };
  expectValue(key, 'l4proto');
  expectValue(op, '==');
  const protocol = protocolOf(textOf(right));
  return protocol === undefined ? notSimulated(right) : { kind: 'l4proto', protocol };
}

/** "in" is how nft compares with one bit of several. */
function readState(inner: Cursor, { op, right }: Comparison): NftExpression {
  expectValue(membersOf(inner, 'key').get('key'), 'state');
  expectValue(op, 'in');
  const state = stateOf(textOf(right));
  return state === undefined ? notSimulated(right) : { kind: 'ctState', state };
}

function readFib(inner: Cursor, { op, right }: Comparison): NftExpression {
  const members = membersOf(inner, 'result', 'flags');
  expectValue(members.get('result'), 'type');
  expectValue(op, '==');
  expectValue(right, 'local');
  const flags = members.get('flags');
  const [flag, ...others] = typeof flags.value === 'string' ? [flags] : itemsOf(flags);
  if (flag === undefined || others.length > 0) return refuseAt(flags, 'only one flag is simulated');
  return flag.value === 'saddr' || flag.value === 'daddr' ? { kind: 'fibLocal', side: flag.value } : notSimulated(flag);
}

function readBits(inner: Cursor, { op, right }: Comparison): NftExpression {
  const [mark, mask] = pairOf(inner);
  expectMark(mark);
  expectValue(op, '==');
  if (right.value !== 0) refuseAt(right, 'only bits that are not set are simulated');
  return { kind: 'markClear', mask: numberOf(mask, 0, MAX_MARK) };
}

/** What stands behind `match`. */
export function readMatch(cursor: Cursor, family: Family): NftExpression {
  const members = membersOf(cursor, 'op', 'left', 'right');
  const comparison = { op: members.get('op'), left: members.get('left'), right: members.get('right') };
  const [kind, inner] = onlyMember(comparison.left);
  switch (kind) {
    case 'payload': {
      const side = readSide(comparison.left, family);
      return { kind: 'address', side, ...inverted(comparison), addresses: readAddresses(comparison.right, family) };
    }
    case 'meta':
      return readMeta(inner, comparison);
    case 'ct':
      return readState(inner, comparison);
    case 'fib':
      return readFib(inner, comparison);
    case '&':
      return readBits(inner, comparison);
    default:
      return refuseAt(inner, 'it is not simulated');
  }
}
