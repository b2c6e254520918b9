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
  // A table that is new is not kept when something is wrong.
  const undo: Undo = table === before ? [] : undefined;
  try {
    for (const command of program.commands) apply(table, command, now, undo);
    for (const command of program.commands) checkReferences(table, command);
  } catch (error) {
    for (const back of undo?.reverse() ?? []) back();
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

/** What brings everything back, the last change first. Undefined: nobody wants it back. */
type Undo = (() => void)[] | undefined;

/** Puts an entry of a map, or takes it away. */
function swap<T>(map: Map<string, T>, key: string, value: T | undefined, undo: Undo): void {
  const old = undo === undefined ? undefined : map.get(key);
  if (value === undefined) map.delete(key);
  else map.set(key, value);
  undo?.push(() => void (old === undefined ? map.delete(key) : map.set(key, old)));
}

function setRules(chain: LoadedChain, rules: readonly NftRule[], undo: Undo): void {
  const { rules: before } = chain;
  chain.rules = rules;
  undo?.push(() => void (chain.rules = before));
}

function addElement({ set, elements, learned }: LoadedSet, element: NftElement, now: number, undo: Undo): void {
  const key = keyText(element.key);
  const { expiresSeconds } = element;
  if (expiresSeconds === undefined) return swap(elements, key, element, undo);
  if (set.timeoutSeconds === undefined) throw new NetfilterError(`elements of ${set.name} do not expire`);
  if (learned.size >= DYNAMIC_SET_SIZE && !learned.has(key)) throw new NetfilterError(`the set ${set.name} is full`);
  swap(learned, key, now + expiresSeconds * 1000, undo);
}

const NO_RULES: readonly NftRule[] = [];

function apply(table: NftTable, command: NftCommand, now: number, undo: Undo): void {
  switch (command.kind) {
    case 'addChain': {
      const { chain } = command;
      if (table.chains.has(chain.name)) return;
      return swap(table.chains, chain.name, { chain, rules: NO_RULES }, undo);
    }
    case 'flushChain':
      return setRules(chainOf(table, command.chain), NO_RULES, undo);
    case 'deleteChain':
      chainOf(table, command.chain);
      return swap(table.chains, command.chain, undefined, undo);
    case 'addRules': {
      const chain = chainOf(table, command.chain);
      return setRules(chain, chain.rules.length === 0 ? command.rules : [...chain.rules, ...command.rules], undo);
    }
    case 'addSet': {
      const { set } = command;
      const found = table.sets.get(set.name);
      if (found !== undefined && found.set.timeoutSeconds === set.timeoutSeconds) return;
      const loaded = found === undefined ? { set, elements: new Map(), learned: new Map() } : { ...found, set };
      return swap(table.sets, set.name, loaded, undo);
    }
    case 'deleteSet':
      setOf(table, command.set);
      return swap(table.sets, command.set, undefined, undo);
    case 'addElement':
      return addElement(setOf(table, command.set), command.element, now, undo);
    case 'deleteElement': {
      const { elements } = setOf(table, command.set);
      const key = keyText(command.key);
      if (!elements.has(key)) throw new NetfilterError(`there is no element ${key} in ${command.set}`);
      return swap(elements, key, undefined, undo);
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
