import type { Family } from '../../packet.js';
import type { Hook } from '../../trace.js';
import { ACCEPT, type HookVerdict } from '../hooks.js';
import type { PacketState, Passage } from '../passage.js';
import type { Translate } from '../translation.js';
import { BUILTIN_CHAIN_OF } from './builtin-chains.js';
import { type Counters, type LoadedChain, stateAt } from './chain.js';
import { buildDispatchIndex, INDEX_FROM } from './dispatch-index.js';
import { defaultReject, setXmark } from './kernel-form.js';
import { compileMatches, type MatchEnvironment } from './match.js';
import type { Rule, Verdict } from './rule.js';
import type { Table } from './table.js';

export interface TraversalOptions {
  readonly family: Family;
  readonly environment: Omit<MatchEnvironment, 'dryRun'>;
  readonly translate: Translate;
}

interface Traversal {
  readonly table: Table;
  readonly hook: Hook;
  readonly passage: Passage;
  readonly family: Family;
  readonly environment: MatchEnvironment;
  readonly translate: Translate;
}

export function createTraversal({ family, translate, environment }: TraversalOptions) {
  const live: MatchEnvironment = { ...environment, dryRun: false };
  const dry: MatchEnvironment = { ...environment, dryRun: true };
  return (table: Table, hook: Hook, passage: Passage): HookVerdict =>
    traverseTable({ table, hook, passage, family, translate, environment: passage.dryRun ? dry : live });
}

/** Runs the built-in chain of `table` for `hook`. A table that has no such chain accepts. */
function traverseTable(traversal: Traversal): HookVerdict {
  const { table, hook, passage } = traversal;
  const { packet } = passage;
  const chain = table.chains.get(BUILTIN_CHAIN_OF[hook]);
  if (chain === undefined) return ACCEPT;
  if (chain.rules.length > 0) {
    const result = traverseChain(traversal, chain);
    if (result !== undefined) return result;
  }
  const policy = chain.policy ?? 'ACCEPT';
  if (!passage.dryRun) count(chain, packet);
  if (chain.rules.length > 0 || policy === 'DROP') {
    passage.trace.push({ kind: 'policy', hook, table: table.name, chain: chain.name, effect: `policy ${policy}` });
  }
  return { kind: policy === 'ACCEPT' ? 'accept' : 'drop' };
}

/** Undefined: the packet came to the end of the chain, or to a RETURN. */
function traverseChain(traversal: Traversal, chain: LoadedChain): HookVerdict | undefined {
  const { table, hook, passage, environment } = traversal;
  const { packet } = passage;
  /** How often a packet comes as far as this in the chain; undefined: no chance was taken. */
  let odds: number | undefined;
  for (const position of candidates(chain, packet)) {
    const rule = chain.rules[position];
    if (rule === undefined) continue;
    const state = stateAt(chain, position);
    if (state.compiled === undefined) {
      state.compiled = compileMatches(rule);
      state.chance = rule.matches.find(match => match.kind === 'statistic')?.probability;
    }
    const { chance } = state;
    if (!state.compiled(packet, environment)) {
      if (chance !== undefined) odds = (odds ?? 1) * (1 - chance);
      continue;
    }
    if (!passage.dryRun) count(state, packet);
    const probability = chance === undefined ? odds : (odds ?? 1) * chance;
    const step = traceRule(traversal, chain, position, rule, probability);
    const { verdict } = rule;
    switch (verdict.kind) {
      case 'none':
        step('continue');
        break;
      case 'accept':
        step('accept');
        return { kind: 'accept' };
      case 'drop':
        step('drop');
        return { kind: 'drop' };
      case 'return':
        step('return');
        return undefined;
      case 'reject': {
        const answer = verdict.with ?? defaultReject(traversal.family);
        step(`reject with ${answer}`);
        return { kind: 'reject', with: answer };
      }
      case 'jump':
      case 'goto': {
        step(`${verdict.kind} ${verdict.chain}`);
        const target = table.chains.get(verdict.chain);
        const result = target === undefined ? undefined : traverseChain(traversal, target);
        if (result !== undefined || verdict.kind === 'goto') return result;
        break;
      }
      case 'mark':
        step(mark(packet, verdict));
        break;
      case 'notrack':
        passage.state = 'UNTRACKED';
        packet.states = ['UNTRACKED'];
        step('not tracked');
        break;
      case 'dnat':
      case 'snat':
      case 'redirect':
      case 'masquerade':
        step(traversal.translate(passage, verdict, hook));
        return { kind: 'accept' };
      default:
        return verdict satisfies never;
    }
  }
  return undefined;
}

function candidates(chain: LoadedChain, packet: PacketState): Iterable<number> {
  if (chain.rules.length < INDEX_FROM) return chain.rules.keys();
  chain.index ??= buildDispatchIndex(chain.rules);
  return chain.index.candidates(packet);
}

function count(counters: Counters, packet: PacketState): void {
  counters.packets++;
  counters.bytes += packet.size;
}

function mark(packet: PacketState, verdict: Extract<Verdict, { kind: 'mark' }>): string {
  const { value, mask } = setXmark(verdict);
  packet.mark = ((packet.mark & ~mask) ^ value) >>> 0;
  return `mark is now 0x${packet.mark.toString(16)}`;
}

function traceRule(
  { table, hook, passage }: Traversal,
  chain: LoadedChain,
  position: number,
  rule: Rule,
  probability: number | undefined,
): (effect: string) => void {
  const { matches, origin } = rule;
  const comment = matches.find(match => match.kind === 'comment')?.text;
  return effect => {
    passage.trace.push({
      kind: 'rule',
      hook,
      table: table.name,
      chain: chain.name,
      ruleNumber: position + 1,
      rule,
      effect,
      ...(comment === undefined ? {} : { comment }),
      ...(probability === undefined ? {} : { probability }),
      ...(origin === undefined ? {} : { origin }),
    });
  };
}
