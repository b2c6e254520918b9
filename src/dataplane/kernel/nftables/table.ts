import { NetfilterError } from '../errors.js';
import type { NftCommand, NftablesProgram } from '../program.js';
import { keyText, type NftChain, type NftElement, type NftRule, type NftSet, type NftVerdict } from './rule.js';

export interface LoadedSet {
  readonly set: NftSet;
  /** By the text of the key. */
  readonly elements: Map<string, NftElement>;
  /** Of a set that packets fill: key to clock milliseconds at which it is forgotten. */
  readonly learned: Map<string, number>;
}

export interface LoadedChain {
  readonly chain: NftChain;
  rules: readonly NftRule[];
}

/** One table. Every change goes by a transaction that is done whole or not at all. */
export interface NftTable {
  readonly name: string;
  readonly comment: string;
  readonly chains: Map<string, LoadedChain>;
  readonly sets: Map<string, LoadedSet>;
}

const emptyTable = ({ table, comment }: NftablesProgram): NftTable => ({
  name: table,
  comment,
  chains: new Map(),
  sets: new Map(),
});

/** The largest set that packets may fill, as the kernel gives one without a size. */
export const DYNAMIC_SET_SIZE = 65_535;

/**
 * The table as it is after the program. A full one makes it from nothing; a partial one changes `before` in place, at the
 * cost of what it changes. `now`: clock milliseconds.
 * @throws NetfilterError, and nothing is changed
 */
export function applyProgram(before: NftTable | undefined, program: NftablesProgram, now: number): NftTable {
  const table = program.full || before === undefined ? emptyTable(program) : before;
  const undo: (() => void)[] = [];
  try {
    for (const command of program.commands) {
      const back = apply(table, command, now);
      // A table that is new is not kept when something is wrong.
      if (table === before) undo.push(back);
    }
    for (const command of program.commands) checkReferences(table, command);
  } catch (error) {
    for (const back of undo.reverse()) back();
    throw error;
  }
  // What packets have taught an affinity set outlives that the table is written anew.
  if (table !== before && before !== undefined)
    for (const [name, { learned }] of before.sets)
      for (const [key, expires] of learned) table.sets.get(name)?.learned.set(key, expires);
  return table;
}

function setOf(table: NftTable, name: string): LoadedSet {
  const set = table.sets.get(name);
  if (set === undefined) throw new NetfilterError(`there is no set or map ${name}`);
  return set;
}

function chainOf(table: NftTable, name: string): LoadedChain {
  const chain = table.chains.get(name);
  if (chain === undefined) throw new NetfilterError(`there is no chain ${name}`);
  return chain;
}

/** Puts an entry of a map, or takes it away, and returns what brings the old one back. */
function swap<T>(map: Map<string, T>, key: string, value: T | undefined): () => void {
  const old = map.get(key);
  if (value === undefined) map.delete(key);
  else map.set(key, value);
  return () => void (old === undefined ? map.delete(key) : map.set(key, old));
}

function setRules(chain: LoadedChain, rules: readonly NftRule[]): () => void {
  const { rules: before } = chain;
  chain.rules = rules;
  return () => void (chain.rules = before);
}

function addElement({ set, elements, learned }: LoadedSet, element: NftElement, now: number): () => void {
  const key = keyText(element.key);
  const { expiresSeconds } = element;
  if (expiresSeconds === undefined) return swap(elements, key, element);
  if (set.timeoutSeconds === undefined) throw new NetfilterError(`elements of ${set.name} do not expire`);
  if (learned.size >= DYNAMIC_SET_SIZE && !learned.has(key)) throw new NetfilterError(`the set ${set.name} is full`);
  return swap(learned, key, now + expiresSeconds * 1000);
}

const nothing = (): void => undefined;

function apply(table: NftTable, command: NftCommand, now: number): () => void {
  switch (command.kind) {
    case 'addChain': {
      const { chain } = command;
      return table.chains.has(chain.name) ? nothing : swap(table.chains, chain.name, { chain, rules: [] });
    }
    case 'flushChain':
      return setRules(chainOf(table, command.chain), []);
    case 'deleteChain':
      chainOf(table, command.chain);
      return swap(table.chains, command.chain, undefined);
    case 'addRules': {
      const chain = chainOf(table, command.chain);
      return setRules(chain, chain.rules.length === 0 ? command.rules : [...chain.rules, ...command.rules]);
    }
    case 'addSet': {
      const { set } = command;
      const found = table.sets.get(set.name);
      if (found === undefined) return swap(table.sets, set.name, { set, elements: new Map(), learned: new Map() });
      return found.set.timeoutSeconds === set.timeoutSeconds ? nothing : swap(table.sets, set.name, { ...found, set });
    }
    case 'deleteSet':
      setOf(table, command.set);
      return swap(table.sets, command.set, undefined);
    case 'addElement':
      return addElement(setOf(table, command.set), command.element, now);
    case 'deleteElement': {
      const { elements } = setOf(table, command.set);
      const key = keyText(command.key);
      if (!elements.has(key)) throw new NetfilterError(`there is no element ${key} in ${command.set}`);
      return swap(elements, key, undefined);
    }
    default:
      return command satisfies never;
  }
}

function checkReferences(table: NftTable, command: NftCommand): void {
  const target = (verdict: NftVerdict): void => {
    if (verdict.kind === 'jump' || verdict.kind === 'goto') chainOf(table, verdict.chain);
  };
  if (command.kind === 'addElement' && command.element.verdict !== undefined && table.sets.has(command.set))
    target(command.element.verdict);
  if (command.kind !== 'addRules' || !table.chains.has(command.chain)) return;
  for (const { expressions } of command.rules)
    for (const expression of expressions)
      if (expression.kind === 'verdict') target(expression.verdict);
      else if (expression.kind === 'numgen') expression.verdicts.forEach(target);
      else if (expression.kind === 'vmap') setOf(table, expression.map);
      else if (expression.kind === 'update') setOf(table, expression.set);
      else if (expression.kind === 'address' && expression.addresses.kind === 'set')
        setOf(table, expression.addresses.name);
}
