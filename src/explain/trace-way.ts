import type { NetworkStep } from '../containers/network/types.js';
import type { TraceStep } from '../dataplane/trace.js';
import { flowText, originText } from './trace-text.js';

type NetfilterStep = Extract<NetworkStep, { kind: 'netfilter' }>;

/** The way of a request in few lines: where it came by, what changed or stopped it, who got it, what the answer left as. */
export function wayLines(steps: readonly NetworkStep[]): string[] {
  const lastReply = steps.findLast(step => step.kind === 'netfilter' && step.direction === 'reply');
  return steps.flatMap((step, i) => {
    switch (step.kind) {
      case 'netfilter':
        return step.direction === 'request' ? requestLines(step) : step === lastReply ? replyLines(step) : [];
      case 'route':
        // What follows says it: the next node, or who got it.
        return steps[i + 1] === undefined || steps[i + 1]?.kind === 'fail'
          ? [`         ${step.node}: ${step.destination} is ${step.via}`]
          : [];
      case 'deliver':
        return [`         ${step.node}: delivered to ${step.to}`];
      case 'relay':
        return [`relay    ${step.node}: for Service ${step.service} to ${step.endpoint}, by ${step.why}`];
      case 'fail':
        return [`failed   ${step.node}: ${step.code} ${step.message}`];
      default:
        return step satisfies never;
    }
  });
}

function replyLines(step: NetfilterStep): string[] {
  const changed = flowText(step.in) === flowText(step.out) ? '' : `, leaves as ${flowText(step.out)}`;
  return [`reply    ${step.node}: ${flowText(step.in)}${changed}`];
}

/** Only what changes or stops the packet; the rest is counted. */
function requestLines(step: NetfilterStep): string[] {
  const telling = step.rules.filter(isTelling);
  const others =
    step.rules.filter(({ kind }) => kind === 'rule').length - telling.filter(({ kind }) => kind === 'rule').length;
  const chance = step.rules.find(({ probability }) => probability !== undefined)?.probability;
  return [
    `request  ${step.node}: ${flowText(step.in)}${others > 0 ? ` (and ${others === 1 ? '1 rule that changes' : `${others} rules that change`} nothing)` : ''}`,
    ...telling.map(rule => `           ${ruleLine(rule, chance)}`),
    // The rule that stopped it has said so.
    ...(step.verdict === 'accept' || telling.length > 0 ? [] : [`           ${step.verdict.toUpperCase()}`]),
  ];
}

const EFFECT = /^(?:dnat|snat|masquerade|redirect|reject|drop)\b/;

const isTelling = ({ kind, effect }: TraceStep): boolean =>
  kind === 'nat' || kind === 'networkPolicy' || EFFECT.test(effect);

/** "nat/KUBE-SEP-… #2: DNAT: destination becomes 10.244.1.2:80 (EndpointSlice shop/web-x, endpoint 10.244.1.2:80; by chance, 50 %)" */
function ruleLine(
  { hook, table, chain, ruleNumber, effect, origin, probability }: TraceStep,
  earlier: number | undefined,
): string {
  const where = table === undefined ? hook : `${table}/${chain ?? hook}`;
  const number = ruleNumber === undefined ? '' : ` #${ruleNumber}`;
  // Targets are written large, as the tools do.
  const what = effect.replace(EFFECT, word => word.toUpperCase());
  const whose = origin === undefined || origin.kind === 'Proxy' ? [] : [originText(origin)];
  // An endpoint is chosen before its own chain is entered.
  const share = probability ?? (effect.startsWith('dnat') ? earlier : undefined);
  const chance = share === undefined ? [] : [`by chance, ${percent(share)}`];
  const about = [...whose, ...chance].join('; ');
  return `${where}${number}: ${what}${about === '' ? '' : ` (${about})`}`;
}

export const percent = (share: number): string => `${(share * 100).toFixed(share * 100 >= 10 ? 0 : 1)} %`;
