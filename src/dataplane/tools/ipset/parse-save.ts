import { familyOf } from '../../../machinery/ip.js';
import { NetfilterError } from '../../kernel/errors.js';
import { entryKey } from '../../kernel/ipset/entry.js';
import { MAX_ELEMENTS } from '../../kernel/ipset/ipset.js';
import type { SetChange, SetType } from '../../kernel/ipset/types.js';
import type { Family } from '../../packet.js';
import { eachLine, TEXT_LIMITS } from '../lines.js';
import { parseCreate } from './parse-create.js';

interface Reading {
  readonly type: SetType;
  readonly initval: number | undefined;
  readonly entries: Set<string>;
}

/** Reads what `ipset save` prints, as `ipset restore` does on a kernel without sets. @throws NetfilterError naming the line */
export function parseIpsetSave(text: string, family: Family, limits = TEXT_LIMITS): SetChange[] {
  const sets = new Map<string, Reading>();
  eachLine(
    text,
    line => `Error in line ${line}`,
    words => read(words, sets, family),
    limits,
  );
  return [...sets].map(([name, { type, initval, entries }]) => ({
    name,
    type,
    ...(initval === undefined ? {} : { initval }),
    add: [...entries],
    remove: [],
  }));
}

function read([command, name, ...rest]: readonly string[], sets: Map<string, Reading>, family: Family): void {
  if (command !== 'create' && command !== 'add') throw new NetfilterError(`Unknown argument: \`${command ?? ''}'`);
  if (name === undefined) throw new NetfilterError(`Missing mandatory argument SETNAME to command ${command}`);
  if (command === 'create') {
    if (sets.has(name)) throw new NetfilterError('Set cannot be created: set with the same name already exists');
    sets.set(name, { ...parseCreate(name, rest, family), entries: new Set() });
    return;
  }
  const set = sets.get(name);
  if (set === undefined) throw new NetfilterError('The set with the given name does not exist');
  addEntry(set, rest, family);
}

function addEntry({ type, entries }: Reading, [entry, option]: readonly string[], family: Family): void {
  if (entry === undefined) throw new NetfilterError('Missing mandatory argument ENTRY to command add');
  if (option !== undefined) throw new NetfilterError(`Unknown argument: \`${option}'`);
  const key = entryKey(type, entry);
  checkEntry(type, key, family);
  if (entries.has(key)) throw new NetfilterError("Element cannot be added to the set: it's already added");
  if (entries.size >= MAX_ELEMENTS) throw new NetfilterError('Hash is full, cannot add more elements');
  entries.add(key);
}

/** What the form of a key does not say: ports that there are, addresses of the set's family. */
function checkEntry(type: SetType, key: string, family: Family): void {
  const [first = '', second = '', third] = key.split(',');
  const port = type === 'bitmap:port' ? first : second.slice(second.indexOf(':') + 1);
  if (Number(port) > 65_535) throw new NetfilterError(`Syntax error: '${port}' is out of range 0-65535`);
  if (type === 'bitmap:port') return;
  for (const address of third === undefined ? [first] : [first, third.split('/', 1)[0] ?? ''])
    if (familyOf(address) !== family) throw new NetfilterError(`Syntax error: ${address} is no ${family} address`);
}
