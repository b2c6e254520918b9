import type { NftBase, NftChain } from '../../../kernel/nftables/rule.js';
import type { Family } from '../../../packet.js';
import { ipOf } from '../family-name.js';
import { hookOf } from '../parse-chain.js';
import type { Programs, TableProgram } from '../programs.js';
import {
  type Cursor,
  expectValue,
  itemsOf,
  type Members,
  membersOf,
  nameOf,
  notSimulated,
  numberOf,
  refuseAt,
  textOf,
} from './cursor.js';
import { readExpressions } from './parse-rule.js';
import { readElement, readSet, SET_MEMBERS } from './parse-set.js';

const MAX_PRIORITY = 999_999_999;

/** The table that an object says it is of, `key` being where. */
export function tableOf(
  cursor: Cursor,
  members: Members,
  programs: Programs,
  family: Family,
  key = 'table',
): TableProgram {
  const own = members.get('family');
  if (own.value !== ipOf(family))
    refuseAt(own, `a table of family ${textOf(own)} is not of this kernel, which is ${ipOf(family)}`);
  return programs.table(why => refuseAt(cursor, why), nameOf(members.get(key)));
}

/** Handles are the kernel's to give. */
const HEAD = ['family', 'handle', 'comment'];

export function readTable(cursor: Cursor, programs: Programs, family: Family): void {
  const members = membersOf(cursor, ...HEAD, 'name');
  const table = tableOf(cursor, members, programs, family, 'name');
  table.begin();
  const comment = members.find('comment');
  if (comment !== undefined) table.setComment(textOf(comment));
}

function readBase(members: Members, type: Cursor): NftBase {
  const [at, policy] = [members.get('hook'), members.find('policy')];
  if (type.value !== 'filter' && type.value !== 'nat') return notSimulated(type);
  const hook = hookOf(textOf(at)) ?? notSimulated(at);
  if (policy !== undefined) expectValue(policy, 'accept');
  return { type: type.value, hook, priority: numberOf(members.get('prio'), -MAX_PRIORITY, MAX_PRIORITY) };
}

export function readChain(cursor: Cursor, programs: Programs, family: Family): void {
  const members = membersOf(cursor, ...HEAD, 'table', 'name', 'type', 'hook', 'prio', 'policy');
  const [type, comment] = [members.find('type'), members.find('comment')];
  const hangs = ['hook', 'prio', 'policy'].find(key => members.find(key) !== undefined);
  if (type === undefined && hangs !== undefined) refuseAt(cursor, `${hangs} of a chain without a type`);
  const chain: NftChain = {
    name: nameOf(members.get('name')),
    ...(type === undefined ? {} : { base: readBase(members, type) }),
    ...(comment === undefined ? {} : { comment: textOf(comment) }),
  };
  tableOf(cursor, members, programs, family).add({ kind: 'addChain', chain });
}

export function readRule(cursor: Cursor, programs: Programs, family: Family): void {
  const members = membersOf(cursor, ...HEAD, 'table', 'chain', 'expr');
  const chain = nameOf(members.get('chain'));
  const comment = members.find('comment');
  const expressions = readExpressions(members.get('expr'), family);
  const about = comment === undefined ? {} : { comment: textOf(comment) };
  tableOf(cursor, members, programs, family).addRules(chain, [{ kind: 'nftRule', chain, expressions, ...about }]);
}

export function readSetWithElements(cursor: Cursor, kind: 'set' | 'map', programs: Programs, family: Family): void {
  const members = membersOf(cursor, ...HEAD, 'table', 'name', ...SET_MEMBERS);
  const name = nameOf(members.get('name'));
  const set = readSet(cursor, members, name, kind);
  const table = tableOf(cursor, members, programs, family);
  table.add({ kind: 'addSet', set });
  const elements = members.find('elem');
  for (const item of elements === undefined ? [] : itemsOf(elements))
    table.add({ kind: 'addElement', set: name, element: readElement(item, set) });
}

export function readElements(cursor: Cursor, programs: Programs, family: Family): void {
  const members = membersOf(cursor, 'family', 'table', 'name', 'elem');
  const table = tableOf(cursor, members, programs, family);
  const set = nameOf(members.get('name'));
  for (const item of itemsOf(members.get('elem')))
    table.add({ kind: 'addElement', set, element: readElement(item, table.set(set)) });
}
