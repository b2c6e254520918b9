import { ACCEPT, type HookFunction, PRIORITY } from '../kernel/hooks.js';
import { tupleOf } from '../kernel/passage.js';
import type { Tuple } from '../packet.js';
import { findingText } from './judgement-text.js';
import type { Judgement } from './types.js';

/** Where kube-network-policies has its chain: behind every choice of a destination, before a source is changed. */
const BEFORE_SOURCE_NAT = PRIORITY.sourceNat - 5;

/**
 * Drops what NetworkPolicies do not allow. Each connection is asked about once: what belongs to one that was let through
 * passes, whatever policies have become since. The node's own packets pass: probes must reach every Pod.
 */
export const policyHook = (judge: (packet: Tuple) => Judgement | undefined): HookFunction => ({
  hook: 'postrouting',
  priority: BEFORE_SOURCE_NAT,
  run(passage) {
    const { state, context, packet, trace } = passage;
    if (context.hook === 'output' || state === 'ESTABLISHED' || state === 'RELATED') return ACCEPT;
    const judgement = judge(tupleOf(packet));
    for (const finding of judgement?.findings ?? []) {
      const { namespace, name } = finding.allowedBy?.policy ?? finding.policies[0] ?? finding.pod;
      const allowed = finding.allowedBy !== undefined;
      const text = judgement === undefined ? '' : findingText(finding, judgement);
      trace.push({
        kind: 'networkPolicy',
        hook: 'postrouting',
        effect: allowed ? text : `drop: ${text}`,
        origin: { kind: 'NetworkPolicy', namespace, name },
      });
      if (!allowed) return { kind: 'drop' };
    }
    return ACCEPT;
  },
});
