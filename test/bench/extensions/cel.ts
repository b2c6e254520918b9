import { asked, createRuleValidator, OBJECT_BUDGET } from '../../../src/api/structural/cel/rule-validator.js';
import { RuleType } from '../../../src/api/structural/cel/rule-type.js';
import { createReader } from '../../../src/machinery/cel/adapt/values.js';
import type { JsonSchema } from '../../../src/machinery/cel/adapt/declared.js';
import { compile } from '../../../src/machinery/cel/compile.js';
import type { FieldError } from '../../../src/machinery/field-error.js';
import { atOnce } from '../../../src/machinery/steps.js';
import type { Row } from '../table.js';
import { RULE, RULES, SPEC, specSchema } from './shop.js';

const ROUNDS = 5;
const US_PER_S = 1e6;

/** Microseconds of CPU time per call of the quickest round: what it takes once V8 has compiled it. */
function warm(calls: number, work: () => unknown): number {
  let best = Infinity;
  for (let round = 0; round <= ROUNDS; round++) {
    const before = process.cpuUsage();
    for (let i = 0; i < calls; i++) work();
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / calls);
  }
  return best;
}

function programOf(source: string): () => unknown {
  const schema = specSchema([]);
  const type = RuleType.of(schema, false);
  if (type === undefined) throw new Error('rules know nothing of the schema');
  const compiled = compile(source, type.environment(false));
  if ('problems' in compiled) throw new Error(compiled.problems);
  const program = compiled.instantiate();
  const read = createReader(schema as JsonSchema);
  const run = (): unknown => program.run({ self: read(SPEC) }, US_PER_S).value;
  if (run() !== true) throw new Error(`${source} does not hold`);
  return run;
}

function validatorOf(rules: typeof RULES): () => unknown {
  const validator = createRuleValidator(specSchema(rules), false);
  if (validator === undefined) throw new Error('there are no rules');
  return () => {
    const errors: FieldError[] = [];
    const left = atOnce(
      validator.check(
        SPEC,
        SPEC,
        undefined,
        asked(errors, () => undefined),
        OBJECT_BUDGET,
      ),
    );
    if (errors.length > 0 || left < 0) throw new Error('a rule does not hold');
  };
}

/** Rules of a schema that have run before. */
export function warmRules(): Row[] {
  const micros = (value: number): string => `${value.toFixed(2)} µs`;
  return [
    { what: `CEL: ${RULE}, warm`, value: micros(warm(200_000, programOf(RULE))), goal: 'goal: under 2 µs' },
    {
      what: '  as the only rule of a schema, asked about an object of 4 KB',
      value: micros(warm(200_000, validatorOf(RULES.slice(0, 1)))),
    },
    { what: `  all ${RULES.length} rules of the benchmark`, value: micros(warm(10_000, validatorOf(RULES))) },
  ];
}
