import type { FieldError } from '../../../machinery/field-error.js';
import type { Leniency } from './lenient.js';
import type { StructuralProblem } from './structural-problem.js';

/** What is the same at every place of one schema. */
export interface SchemaChecks {
  readonly lenient: Leniency;
  readonly errors: FieldError[];
  /** Errors of what rules say, which stand behind those of the schema. */
  readonly ruleErrors: FieldError[];
  readonly structuralProblem: StructuralProblem;
  /** Whether a single rule may cost what it costs: it has been accepted before. */
  readonly anyRuleCost: boolean;
}
