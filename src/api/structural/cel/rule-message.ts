import type { Activation, Program } from '../../../machinery/cel/compile.js';
import { isError } from '../../../machinery/cel/values.js';
import { goLength, quote } from '../../../machinery/go-text.js';
import { trimSpace } from '../../../machinery/go-space.js';
import type { Steps } from '../../../machinery/steps.js';

/** What one expression may cost. */
export const CALL_BUDGET = 1_000_000;
const MAX_MESSAGE = 5 * 1024;

export interface RuleMessage {
  /** undefined: the rule's other message is shown. */
  readonly text?: string;
  /** Why nothing more is checked. */
  readonly end?: string;
  /** What is left of the budget. */
  readonly budget: number;
}

/** What a messageExpression says. */
export function* messageOf(
  program: Program,
  source: string,
  activation: Activation,
  budget: number,
): Steps<RuleMessage> {
  const { value, cost, isOverBudget } = yield* program.steps(activation, CALL_BUDGET);
  const end = (text: string): RuleMessage => ({ end: text, budget: -1 });
  if (cost > budget)
    return end(
      'messageExpression evaluation failed due to running out of cost budget, no further validation rules will be run',
    );
  if (isOverBudget)
    return end(
      `no further validation rules will be run due to call cost exceeds limit for messageExpression: ${quote(source)}`,
    );
  const left = budget - cost;
  if (typeof value !== 'string' || isError(value)) return { budget: left };
  const text = trimSpace(value);
  const isFit = text !== '' && !text.includes('\n') && goLength(text) <= MAX_MESSAGE;
  return isFit ? { text, budget: left } : { budget: left };
}
