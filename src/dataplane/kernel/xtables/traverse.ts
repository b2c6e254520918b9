import { joinHostPort } from '../../../machinery/ip.js';
import { defaultReject, saveText, setXmark } from '../../tools/iptables/rule-text.js';
import type { Family, Hook, TableName, TraceStep, Verdict } from '../../types.js';
import { BUILTIN_CHAIN_OF } from './builtin-chains.js';
import { buildDispatchIndex, INDEX_FROM } from './dispatch-index.js';
import { compileMatches, type MatchEnvironment, type PacketState } from './match.js';
import type { NatVerdict } from '../nat.js';
import type { LoadedChain, LoadedRule, Table } from './table.js';

/** How a packet leaves a table. */
export type TableResult = { readonly kind: 'accept' | 'drop' } | { readonly kind: 'reject'; readonly with: string };

export interface TraversalContext {
  readonly family: Family;
  readonly environment: MatchEnvironment;
  readonly trace: TraceStep[];
  /** Counters stay as they are. */
  readonly dryRun: boolean;
  /** Carries out a translation and says what it did. */
  nat(verdict: NatVerdict, hook: Hook): string;
  notrack(): void;
}

/** Runs the built-in chain of `table` for `hook`. A table that has no such chain accepts. */
export function traverseTable(table: Table, hook: Hook, packet: PacketState, context: TraversalContext): TableResult {
  const chain = table.chains.get(BUILTIN_CHAIN_OF[hook]);
  if (chain === undefined) return { kind: 'accept' };
  if (chain.rules.length > 0) {
    const result = traverseChain(table, chain, hook, packet, context);
    if (result !== undefined) return result;
  }
  const policy = chain.policy ?? 'ACCEPT';
  if (!context.dryRun) count(chain, packet);
  if (chain.rules.length > 0 || policy === 'DROP') {
    context.trace.push({ kind: 'policy', hook, table: table.name, chain: chain.name, effect: `policy ${policy}` });
  }
  return { kind: policy === 'ACCEPT' ? 'accept' : 'drop' };
}

/** Undefined: the packet came to the end of the chain, or to a RETURN. */
function traverseChain(
  table: Table,
  chain: LoadedChain,
  hook: Hook,
  packet: PacketState,
  context: TraversalContext,
): TableResult | undefined {
  for (const position of candidates(chain, packet)) {
    const loaded = chain.rules[position];
    if (loaded === undefined) continue;
    loaded.compiled ??= compileMatches(loaded.rule);
    if (!loaded.compiled(packet, context.environment)) continue;
    if (!context.dryRun) count(loaded, packet);
    const step = traceRule(table.name, chain, position, loaded, hook, context);
    const { verdict } = loaded.rule;
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
        const answer = verdict.with ?? defaultReject(context.family);
        step(`reject with ${answer}`);
        return { kind: 'reject', with: answer };
      }
      case 'jump':
      case 'goto': {
        step(`${verdict.kind} ${verdict.chain}`);
        const target = table.chains.get(verdict.chain);
        const result = target === undefined ? undefined : traverseChain(table, target, hook, packet, context);
        if (result !== undefined || verdict.kind === 'goto') return result;
        break;
      }
      case 'mark':
        step(mark(packet, verdict));
        break;
      case 'notrack':
        context.notrack();
        step('not tracked');
        break;
      case 'dnat':
      case 'snat':
      case 'redirect':
      case 'masquerade':
        step(context.nat(verdict, hook));
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

function count(counters: { packets: number; bytes: number }, packet: PacketState): void {
  counters.packets++;
  counters.bytes += packet.size;
}

function mark(packet: PacketState, verdict: Extract<Verdict, { kind: 'mark' }>): string {
  const { value, mask } = setXmark(verdict);
  packet.mark = ((packet.mark & ~mask) ^ value) >>> 0;
  return `mark is now 0x${packet.mark.toString(16)}`;
}

function traceRule(
  table: TableName,
  chain: LoadedChain,
  position: number,
  loaded: LoadedRule,
  hook: Hook,
  { family, trace }: TraversalContext,
): (effect: string) => void {
  loaded.text ??= saveText(loaded.rule, family);
  const rule = loaded.text;
  const { matches, origin } = loaded.rule;
  const comment = matches.find(match => match.kind === 'comment')?.text;
  return effect => {
    trace.push({
      kind: 'rule',
      hook,
      table,
      chain: chain.name,
      ruleNumber: position + 1,
      rule,
      effect,
      ...(comment === undefined ? {} : { comment }),
      ...(origin === undefined ? {} : { origin }),
    });
  };
}

/** "10.0.0.1:80", or the address alone where there are no ports. */
export const endText = (address: string, port: number): string => (port === 0 ? address : joinHostPort(address, port));
