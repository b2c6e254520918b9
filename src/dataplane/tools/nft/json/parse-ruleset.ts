import type { NftablesProgram } from '../../../kernel/program.js';
import type { Family } from '../../../packet.js';
import { TEXT_LIMITS } from '../../lines.js';
import { createPrograms, type Programs } from '../programs.js';
import { type Cursor, itemsOf, membersOf, nameOf, onlyMember, refuseAt } from './cursor.js';
import { readItems } from './items.js';
import { readChain, readElements, readRule, readSetWithElements, readTable, tableOf } from './parse-objects.js';
import { readKey } from './parse-set.js';

const SCHEMA_VERSION = 1;

/**
 * Reads input of `nft -j -f`, and so what `nft -j list ruleset` prints: one program per table, in the order in which they come.
 * @throws NetfilterError that names the object
 */
export function parseNftJson(text: string, family: Family, limits = TEXT_LIMITS): NftablesProgram[] {
  const programs = createPrograms(family);
  let index = 0;
  for (const value of readItems(text, limits)) {
    const [kind, inner] = onlyMember({ value, key: `nftables[${index++}]` });
    readObject(kind, inner, programs, family);
  }
  return programs.all();
}

function readObject(kind: string, cursor: Cursor, programs: Programs, family: Family): void {
  switch (kind) {
    case 'metainfo':
      return readMetainfo(cursor);
    case 'add': {
      const [added, inner] = onlyMember(cursor);
      return readAdded(added, inner, programs, family);
    }
    case 'delete':
      return readDelete(cursor, programs, family);
    case 'flush':
      return readFlush(cursor, programs, family);
    default:
      return readAdded(kind, cursor, programs, family);
  }
}

function readAdded(kind: string, cursor: Cursor, programs: Programs, family: Family): void {
  switch (kind) {
    case 'table':
      return readTable(cursor, programs, family);
    case 'chain':
      return readChain(cursor, programs, family);
    case 'rule':
      return readRule(cursor, programs, family);
    case 'set':
    case 'map':
      return readSetWithElements(cursor, kind, programs, family);
    case 'element':
      return readElements(cursor, programs, family);
    default:
      return refuseAt(cursor, 'it is not simulated');
  }
}

function readMetainfo(cursor: Cursor): void {
  const members = membersOf(cursor, 'version', 'release_name', 'json_schema_version');
  const version = members.find('json_schema_version');
  if (version !== undefined && version.value !== SCHEMA_VERSION)
    refuseAt(version, `schema version ${String(version.value).slice(0, 10)} is not supported, only ${SCHEMA_VERSION}`);
}

/** Flushing a table or a set is not simulated. */
function readFlush(cursor: Cursor, programs: Programs, family: Family): void {
  const [kind, inner] = onlyMember(cursor);
  if (kind !== 'chain') refuseAt(inner, 'it is not simulated');
  const members = membersOf(inner, 'family', 'table', 'name');
  tableOf(inner, members, programs, family).add({ kind: 'flushChain', chain: nameOf(members.get('name')) });
}

function readDelete(cursor: Cursor, programs: Programs, family: Family): void {
  const [kind, inner] = onlyMember(cursor);
  switch (kind) {
    case 'table':
      return tableOf(inner, membersOf(inner, 'family', 'name'), programs, family, 'name').remove();
    case 'chain':
    case 'set':
    case 'map': {
      const members = membersOf(inner, 'family', 'table', 'name');
      const [table, name] = [tableOf(inner, members, programs, family), nameOf(members.get('name'))];
      return table.add(kind === 'chain' ? { kind: 'deleteChain', chain: name } : { kind: 'deleteSet', set: name });
    }
    case 'element': {
      const members = membersOf(inner, 'family', 'table', 'name', 'elem');
      const [table, set] = [tableOf(inner, members, programs, family), nameOf(members.get('name'))];
      for (const item of itemsOf(members.get('elem')))
        table.add({ kind: 'deleteElement', set, key: readKey(item, table.set(set)) });
      return;
    }
    default:
      return refuseAt(inner, 'it is not simulated');
  }
}
