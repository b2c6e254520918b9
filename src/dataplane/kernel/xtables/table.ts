import { NetfilterError } from '../errors.js';
import { BUILTIN_CHAINS } from './builtin-chains.js';
import { type DispatchIndex } from './dispatch-index.js';
import { type CompiledRule } from './match.js';
import type { Rule, TableName } from './rule.js';

export interface LoadedRule {
  readonly rule: Rule;
  packets: number;
  bytes: number;
  /** Made on first use: most rules of a large ruleset never see a packet. */
  compiled?: CompiledRule;
  /** Of its statistic match, when it has one; set with `compiled`. */
  chance?: number | undefined;
}

export interface LoadedChain {
  readonly name: string;
  policy: 'ACCEPT' | 'DROP' | undefined;
  packets: number;
  bytes: number;
  readonly rules: LoadedRule[];
  /** Made when a packet first comes to the chain after it was loaded. */
  index?: DispatchIndex;
}

export interface Table {
  readonly name: TableName;
  touched: boolean;
  readonly chains: Map<string, LoadedChain>;
  /** How many rules jump to each chain. */
  readonly references: Map<string, number>;
  /** How many rules use each `recent` list: a list lives as long as a rule names it. */
  readonly recentUsers: Map<string, number>;
}

const newChain = (name: string, policy?: 'ACCEPT' | 'DROP'): LoadedChain => ({
  name,
  policy,
  packets: 0,
  bytes: 0,
  rules: [],
});

export function createTable(name: TableName): Table {
  const chains = new Map(BUILTIN_CHAINS[name].map(chain => [chain, newChain(chain, 'ACCEPT')]));
  return { name, touched: false, chains, references: new Map(), recentUsers: new Map() };
}

export const newLoadedRule = (rule: Rule, packets = 0, bytes = 0): LoadedRule => ({ rule, packets, bytes });

/** A set of changes to one table that is checked as a whole, then committed as a whole. */
export interface TableEdit {
  /** `:chain policy [packets:bytes]`: makes the chain, or empties it. */
  declare(name: string, policy?: 'ACCEPT' | 'DROP', packets?: number, bytes?: number): void;
  ensureChain(name: string): void;
  has(name: string): boolean;
  rules(name: string): readonly LoadedRule[];
  append(rule: LoadedRule): void;
  /** `position` is 1-based. */
  insert(rule: LoadedRule, position: number): void;
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
  let references = new Map<string, number>();
  let recentUsers = new Map<string, number>();
  /** Rules come chain by chain. */
  let last: LoadedChain | undefined;

  function writable(name: string): LoadedChain {
    const chain = current(name);
    if (chain === undefined) throw new NetfilterError('No chain/target/match by that name.');
    if (draft.has(name)) return chain;
    const { policy, packets, bytes, rules } = chain;
    const copy: LoadedChain = { name, policy, packets, bytes, rules: [...rules] };
    draft.set(name, copy);
    return copy;
  }

  function countUses(loaded: readonly LoadedRule[], from: number, to: number, by: number): void {
    for (let i = from; i < to; i++) {
      const rule = loaded[i]?.rule;
      if (rule === undefined) continue;
      const { verdict } = rule;
      if (verdict.kind === 'jump' || verdict.kind === 'goto') add(references, verdict.chain, by);
      for (const match of rule.matches) if (match.kind === 'recent') add(recentUsers, match.name, by);
    }
  }

  /** Most of a rewritten dispatch chain is as before, so only what lies between the common ends is counted. */
  function countChanges(before: readonly LoadedRule[], after: readonly LoadedRule[]): void {
    let start = 0;
    let end = 0;
    const most = Math.min(before.length, after.length);
    while (start < most && before[start]?.rule === after[start]?.rule) start++;
    while (end < most - start && before.at(-1 - end)?.rule === after.at(-1 - end)?.rule) end++;
    countUses(before, start, before.length - end, -1);
    countUses(after, start, after.length - end, 1);
  }

  return {
    declare(name, policy, packets = 0, bytes = 0) {
      const chain = newChain(name, isBuiltin(name) ? (policy ?? current(name)?.policy ?? 'ACCEPT') : undefined);
      draft.set(name, { ...chain, packets, bytes });
    },
    ensureChain(name) {
      if (current(name) === undefined) draft.set(name, newChain(name));
    },
    has: name => current(name) !== undefined,
    rules: name => current(name)?.rules ?? [],
    append(rule) {
      const { chain } = rule.rule;
      if (last?.name !== chain || draft.get(chain) !== last) last = writable(chain);
      last.rules.push(rule);
    },
    insert(rule, position) {
      const { rules } = writable(rule.rule.chain);
      if (position < 1 || position > rules.length + 1) throw new NetfilterError('Index of insertion too big.');
      rules.splice(position - 1, 0, rule);
    },
    removeRule(chain, position) {
      const { rules } = writable(chain);
      if (position < 1 || position > rules.length) throw new NetfilterError('Index of deletion too big.');
      rules.splice(position - 1, 1);
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
      references = new Map();
      recentUsers = new Map();
      for (const [name, chain] of draft) {
        countChanges(table.chains.get(name)?.rules ?? [], chain?.rules ?? []);
      }
      for (const [target, added] of references) {
        if (added <= 0 || current(target) !== undefined) continue;
        throw draft.has(target) ? busy(target) : new NetfilterError(`Chain '${target}' does not exist`);
      }
      for (const [name, chain] of draft) {
        if (chain !== undefined || !table.chains.has(name)) continue;
        const left = (table.references.get(name) ?? 0) + (references.get(name) ?? 0);
        if (left > 0) throw busy(name);
      }
    },
    commit() {
      table.touched = true;
      for (const [name, chain] of draft) {
        if (chain === undefined) table.chains.delete(name);
        else table.chains.set(name, chain);
      }
      merge(table.references, references);
      merge(table.recentUsers, recentUsers);
    },
  };
}

const busy = (chain: string): NetfilterError =>
  new NetfilterError(`CHAIN_DEL failed (Device or resource busy): chain ${chain}`);

const add = (counts: Map<string, number>, key: string, by: number): void =>
  void counts.set(key, (counts.get(key) ?? 0) + by);

function merge(counts: Map<string, number>, changes: ReadonlyMap<string, number>): void {
  for (const [key, by] of changes) {
    if (by === 0) continue;
    const left = (counts.get(key) ?? 0) + by;
    if (left === 0) counts.delete(key);
    else counts.set(key, left);
  }
}

/** Throws NetfilterError when a packet could go round in circles; the kernel refuses such a table. */
export function checkLoops(edit: Pick<TableEdit, 'rules'>, from: Iterable<string>): void {
  const done = new Set<string>();
  const path = new Set<string>();
  const visit = (chain: string): void => {
    if (done.has(chain)) return;
    if (path.has(chain)) throw new NetfilterError(`Too many links: chain ${chain} is reached from itself`);
    path.add(chain);
    for (const { rule } of edit.rules(chain)) {
      if (rule.verdict.kind === 'jump' || rule.verdict.kind === 'goto') visit(rule.verdict.chain);
    }
    path.delete(chain);
    done.add(chain);
  };
  for (const chain of from) visit(chain);
}
