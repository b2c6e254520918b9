import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { JsonSchema } from '../../../src/machinery/cel/adapt/declared.js';
import { dynValue } from '../../../src/machinery/cel/adapt/json.js';
import { declareSchema } from '../../../src/machinery/cel/adapt/schema.js';
import { compile, InstantiationError, type Program } from '../../../src/machinery/cel/compile.js';
import { createEnvironment, extendEnvironment, type Environment } from '../../../src/machinery/cel/environment.js';
import { KUBERNETES } from '../../../src/machinery/cel/libraries/kubernetes.js';
import { DYN, printType } from '../../../src/machinery/cel/types.js';
import { CelError, type Value } from '../../../src/machinery/cel/values.js';
import { printValue } from '../../support/cel-print.js';
import { ROOT } from '../../support/root.js';

/** What cel-go said in the environment of Kubernetes 1.35: problems, values, failures, and both costs. */
interface Row {
  readonly on: 'nothing' | 'dyn' | 'schema';
  readonly expr: string;
  readonly problem?: string;
  /** Why there could be no program. */
  readonly program?: string;
  readonly type?: string;
  readonly value?: string;
  readonly error?: string;
  readonly cost: number;
  readonly min?: string;
  readonly max?: string;
}

interface Recorded {
  readonly schema: JsonSchema;
  readonly self: unknown;
  readonly rows: readonly Row[];
}

const recorded = JSON.parse(readFileSync(join(ROOT, 'test/fixtures/cel/cel-go.json'), 'utf8')) as Recorded;
const BUDGET = 1_000_000;

const base = createEnvironment({ libraries: KUBERNETES });
const schema = declareSchema(recorded.schema, { isRoot: false, name: 'selfType1' });
if (schema === undefined) throw new Error('the schema has no type');
const named = (type: typeof DYN): ReadonlyMap<string, typeof DYN> =>
  new Map([
    ['self', type],
    ['oldSelf', type],
  ]);
const environments: Readonly<Record<Row['on'], Environment>> = {
  nothing: base,
  dyn: extendEnvironment(base, { variables: named(DYN) }),
  schema: extendEnvironment(base, { variables: named(schema.type), provider: schema.provider }),
};
const selves: Readonly<Record<Row['on'], Record<string, Value>>> = {
  nothing: {},
  dyn: { self: dynValue(recorded.self) },
  schema: { self: schema.value(recorded.self) },
};

/** Costs are doubles here and uint64 there: what is very large is rounded. */
const isClose = (mine: number, theirs: string | undefined): boolean =>
  Math.abs(mine - Number(theirs)) <= Number(theirs) * 1e-9;

function evaluate({
  on,
  expr,
}: Row): Omit<Row, 'on' | 'expr' | 'min' | 'max'> & { readonly estimate?: readonly number[] } {
  const compiled = compile(expr, environments[on]);
  if ('problems' in compiled) return { problem: compiled.problems, cost: 0 };
  const type = printType(compiled.type);
  let program: Program;
  try {
    program = compiled.instantiate();
  } catch (error) {
    if (!(error instanceof InstantiationError)) throw error;
    return { type, program: error.message, cost: 0 };
  }
  const { min, max } = compiled.estimate(on === 'schema' ? schema?.sizeOf : undefined);
  const { value, cost } = program.run(selves[on], BUDGET);
  const result = value instanceof CelError ? { error: value.message } : { value: printValue(value) };
  return { type, ...result, cost, estimate: [min, max] };
}

t.test('expressions mean, fail and cost what they do in cel-go', t => {
  for (const row of recorded.rows) {
    const { estimate, ...mine } = evaluate(row);
    const { on, expr, min, max, ...theirs } = row;
    t.same(mine, theirs, `${on}: ${expr}`);
    if (estimate === undefined || max === undefined) continue;
    const [least = 0, most = 0] = estimate;
    t.ok(
      isClose(least, min) && isClose(most, max),
      `${expr} is estimated at ${least} to ${most}, not ${min} to ${max}`,
    );
  }
  t.end();
});
