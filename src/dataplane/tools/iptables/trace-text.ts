import type { KernelStep } from '../../kernel/step.js';
import type { Family } from '../../packet.js';
import type { TraceStep } from '../../trace.js';
import { saveText } from './rule-text.js';

/** A trace with its rules as iptables-save prints them. */
export const printTrace = (steps: readonly KernelStep[], family: Family): readonly TraceStep[] =>
  steps.map(
    step => ({ ...step, ...(step.rule === undefined ? {} : { rule: saveText(step.rule, family) }) }) as TraceStep,
  );
