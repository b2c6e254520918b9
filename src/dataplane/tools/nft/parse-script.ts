import type { NftablesProgram } from '../../kernel/program.js';
import type { Family } from '../../packet.js';
import { TEXT_LIMITS } from '../lines.js';
import { isStatementEnd, readBlock, readList } from './blocks.js';
import { readChain } from './parse-chain.js';
import { readElement, readKey } from './parse-elements.js';
import { ipOf } from './family-name.js';
import { readRule } from './parse-rule.js';
import { readSet } from './parse-set.js';
import { createPrograms, type Programs, type TableProgram } from './programs.js';
import { createTokens, refuse, type Tokens } from './tokens.js';

/**
 * Reads input of `nft -f`, and so what `nft list ruleset` prints: one program per table, in the order in which they come.
 * @throws NetfilterError that names the line
 */
export function parseNftScript(text: string, family: Family, limits = TEXT_LIMITS): NftablesProgram[] {
  const tokens = createTokens(text, limits);
  const programs = createPrograms(family);
  for (;;) {
    while (tokens.take('\n') || tokens.take(';'));
    const { kind, text: first } = tokens.peek();
    if (kind === 'mark' && first === '') return programs.all();
    readCommand(tokens, programs, family);
    if (!isStatementEnd(tokens.peek())) refuse(tokens.peek());
  }
}

function readCommand(tokens: Tokens, programs: Programs, family: Family): void {
  const command = tokens.peek();
  if (tokens.take('add')) readAdd(tokens, programs, family);
  else if (command.kind === 'word' && command.text === 'table') readAdd(tokens, programs, family);
  else if (tokens.take('delete')) readDelete(tokens, programs, family);
  else if (tokens.take('flush')) {
    tokens.expect('chain');
    const table = readTable(tokens, programs, family);
    table.add({ kind: 'flushChain', chain: tokens.word() });
  } else refuse(command);
}

/** "ip kube-proxy" */
function readTable(tokens: Tokens, programs: Programs, family: Family): TableProgram {
  const token = tokens.next();
  if (token.text !== ipOf(family))
    refuse(token, `a table of family ${token.text} is not of this kernel, which is ${ipOf(family)}`);
  const name = tokens.peek();
  return programs.table(why => refuse(name, why), tokens.word());
}

function readAdd(tokens: Tokens, programs: Programs, family: Family): void {
  const kind = tokens.next();
  if (kind.kind !== 'word') refuse(kind);
  if (!['table', 'chain', 'rule', 'set', 'map', 'element'].includes(kind.text)) refuse(kind);
  const table = readTable(tokens, programs, family);
  if (kind.text === 'table') {
    table.begin();
    if (tokens.peek().text === '{') readBlock(tokens, () => readObject(tokens, table, family));
  } else if (kind.text === 'rule') {
    const chain = tokens.word();
    table.addRules(chain, [readRule(tokens, chain, family)]);
  } else if (kind.text === 'element') {
    const set = tokens.word();
    const known = table.set(set);
    for (const element of readList(tokens, () => readElement(tokens, known)))
      table.add({ kind: 'addElement', set, element });
  } else addObject(tokens, table, family, kind.text);
}

/** What stands in the braces of a table. */
function readObject(tokens: Tokens, table: TableProgram, family: Family): void {
  if (tokens.take('comment')) table.setComment(tokens.string());
  else {
    const kind = tokens.next();
    if (kind.text !== 'chain' && kind.text !== 'set' && kind.text !== 'map') refuse(kind);
    addObject(tokens, table, family, kind.text);
  }
}

function addObject(tokens: Tokens, table: TableProgram, family: Family, kind: string): void {
  if (kind === 'chain') {
    const { chain, rules } = readChain(tokens, family);
    table.add({ kind: 'addChain', chain });
    if (rules.length > 0) table.addRules(chain.name, rules);
    return;
  }
  const { set, elements } = readSet(tokens, kind === 'map' ? 'map' : 'set');
  table.add({ kind: 'addSet', set });
  for (const element of elements) table.add({ kind: 'addElement', set: set.name, element });
}

function readDelete(tokens: Tokens, programs: Programs, family: Family): void {
  const kind = tokens.next();
  if (kind.kind !== 'word') refuse(kind);
  if (!['table', 'chain', 'set', 'map', 'element'].includes(kind.text)) refuse(kind);
  const table = readTable(tokens, programs, family);
  if (kind.text === 'table') table.remove();
  else if (kind.text === 'chain') table.add({ kind: 'deleteChain', chain: tokens.word() });
  else if (kind.text === 'element') {
    const set = tokens.word();
    const known = table.set(set);
    for (const key of readList(tokens, () => readKey(tokens, known))) table.add({ kind: 'deleteElement', set, key });
  } else table.add({ kind: 'deleteSet', set: tokens.word() });
}
