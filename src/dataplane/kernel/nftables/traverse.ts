import type { Hook } from '../../trace.js';
import { NetfilterError } from '../errors.js';
import { ACCEPT, type HookVerdict } from '../hooks.js';
import type { Passage } from '../passage.js';
import type { Translate } from '../translation.js';
import { defaultReject } from '../xtables/kernel-form.js';
import { holds, learn, lookUp, type NftEnvironment, sideOf } from './match.js';
import { type NftExpression, type NftRule, type NftVerdict, verdictText } from './rule.js';
import type { LoadedChain, NftTable } from './table.js';

export interface NftTraversal extends NftEnvironment {
  readonly table: NftTable;
  readonly hook: Hook;
  readonly passage: Passage;
  readonly translate: Translate;
}

/** The kernel's limit of jumps within jumps (NFT_JUMP_STACK_SIZE). */
const MAX_JUMPS = 16;

/** Runs a base chain, whose policy is to accept. */
export function traverseBase(traversal: NftTraversal, chain: LoadedChain): HookVerdict {
  const result = traverseChain(traversal, chain, 0);
  if (result !== undefined) return result;
  if (chain.rules.length > 0) {
    const { hook, table, passage } = traversal;
    passage.trace.push({ kind: 'policy', hook, table: table.name, chain: chain.chain.name, effect: 'policy accept' });
  }
  return ACCEPT;
}

/** What an expression does: goes on, ends the rule, or decides. */
type Outcome = 'next' | 'end' | Decision;
type Decision = HookVerdict | { readonly kind: 'return' } | Extract<NftVerdict, { kind: 'jump' | 'goto' }>;

/** Undefined: the packet came to the end of the chain, or to a return. */
function traverseChain(traversal: NftTraversal, chain: LoadedChain, depth: number): HookVerdict | undefined {
  if (depth > MAX_JUMPS) throw new NetfilterError(`more than ${MAX_JUMPS} jumps, the last to ${chain.chain.name}`);
  for (const [position, rule] of chain.rules.entries()) {
    const outcome = runRule(traversal, chain, position, rule);
    if (outcome === undefined) continue;
    switch (outcome.kind) {
      case 'accept':
      case 'drop':
      case 'reject':
        return outcome;
      case 'return':
        return undefined;
      case 'jump':
      case 'goto': {
        const target = traversal.table.chains.get(outcome.chain);
        const result = target === undefined ? undefined : traverseChain(traversal, target, depth + 1);
        if (result !== undefined || outcome.kind === 'goto') return result;
      }
    }
  }
  return undefined;
}

/** Undefined: the next rule's turn. */
function runRule(traversal: NftTraversal, chain: LoadedChain, position: number, rule: NftRule): Decision | undefined {
  const effects: string[] = [];
  let result: Outcome = 'next';
  for (const expression of rule.expressions) {
    result = evaluate(traversal, expression, effects);
    if (result === 'end') return undefined;
    if (result !== 'next') break;
  }
  if (effects.length > 0) traceRule(traversal, chain, position, rule, effects.join(', '));
  return typeof result === 'string' ? undefined : result;
}

function evaluate(traversal: NftTraversal, expression: NftExpression, effects: string[]): Outcome {
  const { passage, table, hook } = traversal;
  const { packet } = passage;
  switch (expression.kind) {
    case 'address':
    case 'ctState':
    case 'l4proto':
    case 'fibLocal':
    case 'iifname':
    case 'markClear':
      return holds(expression, packet, table, traversal) ? 'next' : 'end';
    case 'vmap': {
      const verdict = lookUp(expression, packet, table);
      if (verdict === undefined) return 'end';
      effects.push(verdictText(verdict));
      return verdict;
    }
    case 'numgen': {
      const chosen = Math.floor(traversal.random() * expression.verdicts.length);
      const verdict = expression.verdicts[chosen];
      if (verdict === undefined) return 'end';
      effects.push(`${chosen} of ${expression.verdicts.length} by chance: ${verdictText(verdict)}`);
      return verdict;
    }
    case 'update':
      if (!passage.dryRun)
        learn(table.sets.get(expression.set), sideOf(packet, expression.side), traversal.clock.now());
      effects.push(`${sideOf(packet, expression.side)} is remembered in ${expression.set}`);
      return 'next';
    case 'mark':
      packet.mark = (expression.op === 'or' ? packet.mark | expression.value : packet.mark ^ expression.value) >>> 0;
      effects.push(`mark is now 0x${packet.mark.toString(16)}`);
      return 'next';
    case 'dnat':
      effects.push(traversal.translate(passage, expression, hook));
      return ACCEPT;
    case 'masquerade':
      effects.push(traversal.translate(passage, { kind: 'masquerade', randomFully: true }, hook));
      return ACCEPT;
    case 'reject': {
      const answer = defaultReject(traversal.routes.family);
      effects.push(`reject with ${answer}`);
      return { kind: 'reject', with: answer };
    }
    case 'verdict':
      effects.push(verdictText(expression.verdict));
      return expression.verdict;
    default:
      return expression satisfies never;
  }
}

function traceRule(
  { hook, table, passage }: NftTraversal,
  chain: LoadedChain,
  position: number,
  rule: NftRule,
  effect: string,
): void {
  const { comment, origin, expressions } = rule;
  const choice = expressions.find(expression => expression.kind === 'numgen');
  passage.trace.push({
    kind: 'rule',
    hook,
    table: table.name,
    chain: chain.chain.name,
    ruleNumber: position + 1,
    rule,
    effect,
    ...(comment === undefined ? {} : { comment }),
    ...(choice === undefined ? {} : { probability: 1 / choice.verdicts.length }),
    ...(origin === undefined ? {} : { origin }),
  });
}
