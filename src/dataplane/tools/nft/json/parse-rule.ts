import type { NftExpression, NftRule } from '../../../kernel/nftables/rule.js';
import type { Family } from '../../../packet.js';
import { endsRule } from '../parse-rule.js';
import {
  type Cursor,
  expectValue,
  itemsOf,
  membersOf,
  numberOf,
  onlyMember,
  pairOf,
  refuseAt,
  setNameOf,
} from './cursor.js';
import { expectMark, MAX_MARK, readMatch } from './parse-match.js';
import { readAddress, readField, readSide, readVerdict, verdictOf } from './parse-values.js';

const MAX_VERDICTS = 999_999;
const MAX_PORT = 65_535;

function readNumgen(inner: Cursor, data: Cursor): NftExpression {
  const members = membersOf(inner, 'mode', 'mod', 'offset');
  expectValue(members.get('mode'), 'random');
  const offset = members.find('offset');
  if (offset !== undefined) expectValue(offset, 0);
  const [kind, set] = onlyMember(data);
  if (kind !== 'set') refuseAt(set, 'it is not simulated');
  const verdicts = itemsOf(set).map((item, i) => {
    const [number, verdict] = pairOf(item);
    if (number.value !== i) refuseAt(number, 'each number has its verdict, in order');
    return readVerdict(verdict);
  });
  const mod = members.get('mod');
  if (numberOf(mod, 1, MAX_VERDICTS) !== verdicts.length)
    refuseAt(mod, `${String(mod.value)} is not the number of verdicts`);
  return { kind: 'numgen', verdicts };
}

function readVmap(cursor: Cursor, family: Family): NftExpression {
  const members = membersOf(cursor, 'key', 'data');
  const [key, data] = [members.get('key'), members.get('data')];
  const [kind, inner] = onlyMember(key);
  if (kind === 'numgen') return readNumgen(inner, data);
  const fields = kind === 'concat' ? itemsOf(inner) : [key];
  if (fields.length === 0) refuseAt(inner, 'a key without parts');
  return { kind: 'vmap', key: fields.map(field => readField(field, family)), map: setNameOf(data) };
}

function readUpdate(cursor: Cursor, family: Family): NftExpression {
  const members = membersOf(cursor, 'op', 'elem', 'set');
  expectValue(members.get('op'), 'update');
  return { kind: 'update', set: setNameOf(members.get('set')), side: readSide(members.get('elem'), family) };
}

function readMangle(cursor: Cursor): NftExpression {
  const members = membersOf(cursor, 'key', 'value');
  expectMark(members.get('key'));
  const [operator, inner] = onlyMember(members.get('value'));
  if (operator !== '|' && operator !== '^') return refuseAt(inner, 'it is not simulated');
  const [mark, bits] = pairOf(inner);
  expectMark(mark);
  return { kind: 'mark', op: operator === '|' ? 'or' : 'xor', value: numberOf(bits, 0, MAX_MARK) };
}

function readDnat(cursor: Cursor, family: Family): NftExpression {
  const members = membersOf(cursor, 'addr', 'port');
  const port = numberOf(members.get('port'), 1, MAX_PORT);
  return { kind: 'dnat', address: readAddress(members.get('addr'), family), port };
}

function readMasquerade(cursor: Cursor): NftExpression {
  const flags = membersOf(cursor, 'flags').get('flags');
  const [flag, ...others] = typeof flags.value === 'string' ? [flags] : itemsOf(flags);
  if (flag === undefined || others.length > 0) return refuseAt(flags, 'only the flag fully-random is simulated');
  expectValue(flag, 'fully-random');
  return { kind: 'masquerade' };
}

function readReject(cursor: Cursor, family: Family): NftExpression {
  if (cursor.value !== null) {
    const members = membersOf(cursor, 'type', 'expr');
    expectValue(members.get('type'), family === 'IPv4' ? 'icmp' : 'icmpv6');
    expectValue(members.get('expr'), 'port-unreachable');
  }
  return { kind: 'reject' };
}

function readExpression(cursor: Cursor, family: Family): NftExpression {
  const [kind, inner] = onlyMember(cursor);
  const verdict = verdictOf(kind, inner);
  if (verdict !== undefined) return { kind: 'verdict', verdict };
  switch (kind) {
    case 'match':
      return readMatch(inner, family);
    case 'vmap':
      return readVmap(inner, family);
    case 'set':
      return readUpdate(inner, family);
    case 'mangle':
      return readMangle(inner);
    case 'dnat':
      return readDnat(inner, family);
    case 'masquerade':
      return readMasquerade(inner);
    case 'reject':
      return readReject(inner, family);
    default:
      return refuseAt(inner, 'it is not simulated');
  }
}

/** What stands behind `expr`. */
export function readExpressions(cursor: Cursor, family: Family): NftRule['expressions'] {
  const expressions: NftExpression[] = [];
  for (const item of itemsOf(cursor)) {
    const last = expressions.at(-1);
    if (last !== undefined && endsRule(last)) refuseAt(item, 'Statement after terminal statement has no effect');
    expressions.push(readExpression(item, family));
  }
  return expressions.length === 0 ? refuseAt(cursor, 'a rule without expressions') : expressions;
}
