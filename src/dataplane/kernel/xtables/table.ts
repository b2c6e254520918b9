import { betweenCommonEnds } from '../../../machinery/between-common-ends.js';
import { NetfilterError } from '../errors.js';
import { BUILTIN_CHAINS } from './builtin-chains.js';
import { type Counters, type LoadedChain, newChain, stateAt } from './chain.js';
import type { Rule, TableName } from './rule.js';

export interface Table {
  readonly name: TableName;
  touched: boolean;
  readonly chains: Map<string, LoadedChain>;
  /** How many rules jump to each chain. */
  references: Map<string, number>;
  /** How many rules use each `recent` list: a list lives as long as a rule names it. */
  recentUsers: Map<string, number>;
}

export function createTable(name: TableName): Table {
  const chains = new Map(BUILTIN_CHAINS[name].map(chain => [chain, newChain(chain, 'ACCEPT')]));
  return { name, touched: false, chains, references: new Map(), recentUsers: new Map() };
}

/** A set of changes to one table that is checked as a whole, then committed as a whole. */
export interface TableEdit {
  /** `:chain policy [packets:bytes]`: makes the chain, or empties it. */
  declare(name: string, policy?: 'ACCEPT' | 'DROP', packets?: number, bytes?: number): void;
  ensureChain(name: string): void;
  has(name: string): boolean;
  rules(name: string): readonly Rule[];
  /** `counters`: of each of them; none when left out. */
  append(chain: string, rules: readonly Rule[], counters?: Counters): void;
  /** `position` is 1-based. */
  insert(rule: Rule, position: number, counters?: Counters): void;
  removeRule(chain: string, position: number): void;
  deleteChain(name: string): void;
  /** What iptables-restore does without --noflush. */
  flushAll(): void;
  /** Throws NetfilterError when the result would be inconsistent. */
  check(): void;
  commit(): void;
}

/** Chains are replaced, never changed in place, so an edit that fails leaves no trace. The cost follows the chains touched. */
export function editTable(table: Table): TableEdit {
  const draft = new Map<string, LoadedChain | undefined>();
  const current = (name: string): LoadedChain | undefined =>
    draft.has(name) ? draft.get(name) : table.chains.get(name);
  const isBuiltin = (name: string): boolean => BUILTIN_CHAINS[table.name].includes(name);
  let references = createTally();
  let recentUsers = createTally();
  /** Lists that this edit has made, so that it may change them. */
  const own = new Set<readonly Rule[]>();

  function writable(name: string): LoadedChain {
    const chain = current(name);
    if (chain === undefined) throw new NetfilterError('No chain/target/match by that name.');
    if (draft.has(name)) return chain;
    const { policy, packets, bytes, rules, states } = chain;
    const copy: LoadedChain = { name, policy, packets, bytes, rules, states: states && [...states] };
    draft.set(name, copy);
    return copy;
  }

  function ownRules(chain: LoadedChain): Rule[] {
    if (!own.has(chain.rules)) own.add((chain.rules = [...chain.rules]));
    return chain.rules as Rule[];
  }

  function countUses(rules: readonly Rule[], by: number): void {
    for (const { verdict, matches } of rules) {
      if (verdict.kind === 'jump' || verdict.kind === 'goto') references.add(verdict.chain, by);
      for (const match of matches) if (match.kind === 'recent') recentUsers.add(match.name, by);
    }
  }

  /** Most of a rewritten dispatch chain is as before, so only what lies between the common ends is counted. */
  function countChanges(before: readonly Rule[], after: readonly Rule[]): void {
    const [gone, come] = betweenCommonEnds(before, after, usesSame);
    countUses(gone, -1);
    countUses(come, 1);
  }

  return {
    declare(name, policy, packets = 0, bytes = 0) {
      const kept = isBuiltin(name) ? (policy ?? current(name)?.policy ?? 'ACCEPT') : undefined;
      draft.set(name, newChain(name, kept, packets, bytes));
    },
    ensureChain(name) {
      if (current(name) === undefined) draft.set(name, newChain(name));
    },
    has: name => current(name) !== undefined,
    rules: name => current(name)?.rules ?? [],
    append(name, rules, counters) {
      const chain = writable(name);
      const { length } = chain.rules;
      if (length === 0 && counters === undefined && isUnchanged(table.chains.get(name), chain, rules))
        draft.delete(name);
      else if (length === 0) chain.rules = rules;
      else {
        const list = ownRules(chain);
        for (const rule of rules) list.push(rule);
      }
      for (let i = 0; i < rules.length; i++) count(chain, length + i, counters);
    },
    insert(rule, position, counters) {
      const chain = writable(rule.chain);
      const list = ownRules(chain);
      if (position < 1 || position > list.length + 1) throw new NetfilterError('Index of insertion too big.');
      list.splice(position - 1, 0, rule);
      chain.states?.splice(position - 1, 0, undefined);
      count(chain, position - 1, counters);
    },
    removeRule(name, position) {
      const chain = writable(name);
      const list = ownRules(chain);
      if (position < 1 || position > list.length) throw new NetfilterError('Index of deletion too big.');
      list.splice(position - 1, 1);
      chain.states?.splice(position - 1, 1);
    },
    deleteChain(name) {
      const chain = current(name);
      if (chain === undefined || isBuiltin(name)) throw new NetfilterError('No chain/target/match by that name.');
      if (chain.rules.length > 0) throw new NetfilterError(`CHAIN_DEL failed (Directory not empty): chain ${name}`);
      draft.set(name, undefined);
    },
    flushAll() {
      draft.clear();
      for (const [name, chain] of table.chains) {
        draft.set(name, isBuiltin(name) ? newChain(name, chain.policy ?? 'ACCEPT') : undefined);
      }
    },
    check() {
      references = createTally();
      recentUsers = createTally();
      for (const [name, chain] of draft) {
        countChanges(table.chains.get(name)?.rules ?? NONE, chain?.rules ?? NONE);
      }
      for (const [target, added] of references.counts()) {
        if (added <= 0 || current(target) !== undefined) continue;
        throw draft.has(target) ? busy(target) : new NetfilterError(`Chain '${target}' does not exist`);
      }
      for (const [name, chain] of draft) {
        if (chain !== undefined) continue;
        const left = (table.references.get(name) ?? 0) + (references.counts().get(name) ?? 0);
        if (left > 0) throw busy(name);
      }
    },
    commit() {
      table.touched = true;
      for (const [name, chain] of draft) {
        if (chain === undefined) table.chains.delete(name);
        else table.chains.set(name, chain);
      }
      table.references = merged(table.references, references.counts());
      table.recentUsers = merged(table.recentUsers, recentUsers.counts());
    },
  };
}

const busy = (chain: string): NetfilterError =>
  new NetfilterError(`CHAIN_DEL failed (Device or resource busy): chain ${chain}`);

const NONE: readonly Rule[] = [];

/** Whether both jump to the same chain, whatever else of them is different: a chance, in front of an endpoint that has gone. */
const usesSame = (a: Rule, b: Rule): boolean =>
  a === b || (a.verdict === b.verdict && [a, b].every(({ matches }) => matches.every(({ kind }) => kind !== 'recent')));

/** Whether a chain that was emptied and got these rules is what it was: of a large Service most are, and no packet came by. */
const isUnchanged = (loaded: LoadedChain | undefined, chain: LoadedChain, rules: readonly Rule[]): boolean =>
  loaded?.rules === rules &&
  loaded.states === undefined &&
  loaded.policy === chain.policy &&
  loaded.packets === chain.packets &&
  loaded.bytes === chain.bytes;

function count(chain: LoadedChain, position: number, counters: Counters | undefined): void {
  if (counters === undefined || (counters.packets === 0 && counters.bytes === 0)) return;
  const state = stateAt(chain, position);
  state.packets = counters.packets;
  state.bytes = counters.bytes;
}

/** Counts by name. Many rules after each other jump to the same chain: they are entered together. */
function createTally() {
  const counts = new Map<string, number>();
  let name = '';
  let sum = 0;
  function flush(): void {
    if (sum !== 0) counts.set(name, (counts.get(name) ?? 0) + sum);
    sum = 0;
  }
  return {
    add(key: string, by: number): void {
      if (key !== name) flush();
      name = key;
      sum += by;
    },
    counts(): Map<string, number> {
      flush();
      return counts;
    },
  };
}

function merged(counts: Map<string, number>, changes: Map<string, number>): Map<string, number> {
  if (counts.size === 0) {
    for (const [key, by] of changes) if (by === 0) changes.delete(key);
    return changes;
  }
  for (const [key, by] of changes) {
    if (by === 0) continue;
    const left = (counts.get(key) ?? 0) + by;
    if (left === 0) counts.delete(key);
    else counts.set(key, left);
  }
  return counts;
}

/** Throws NetfilterError when a packet could go round in circles; the kernel refuses such a table. */
export function checkLoops(edit: Pick<TableEdit, 'rules'>, from: Iterable<string>): void {
  const done = new Set<string>();
  const path = new Set<string>();
  const visit = (chain: string): void => {
    if (done.has(chain)) return;
    if (path.has(chain)) throw new NetfilterError(`Too many links: chain ${chain} is reached from itself`);
    path.add(chain);
    for (const { verdict } of edit.rules(chain)) {
      if (verdict.kind === 'jump' || verdict.kind === 'goto') visit(verdict.chain);
    }
    path.delete(chain);
    done.add(chain);
  };
  for (const chain of from) visit(chain);
}
