import type { KernelStep } from '../kernel/step.js';
import type { Family } from '../packet.js';
import type { TraceStep } from '../trace.js';
import { saveText } from './iptables/rule-text.js';
import { nftRuleText } from './nft/rule-text.js';

/** A trace with its rules as the tool that lists them prints them: iptables-save or nft. */
export const printTrace = (steps: readonly KernelStep[], family: Family): readonly TraceStep[] =>
  steps.map(({ rule, ...step }) => {
    if (rule === undefined) return step;
    return { ...step, rule: rule.kind === 'nftRule' ? nftRuleText(rule, family) : saveText(rule, family) };
  });
