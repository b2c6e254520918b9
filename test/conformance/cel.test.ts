import { getConformanceSuite, type IncrementalTestSuite } from '@bufbuild/cel-spec/testdata/tests.js';
import type { SimpleTest } from '@bufbuild/cel-spec/cel/expr/conformance/test/simple_pb.js';
import t from 'tap';
import { compile } from '../../src/machinery/cel/compile.js';
import { createEnvironment } from '../../src/machinery/cel/environment.js';
import { Comparison } from '../../src/machinery/cel/equality.js';
import { KUBERNETES } from '../../src/machinery/cel/libraries/kubernetes.js';
import { BINDINGS } from '../../src/machinery/cel/standard/library.js';
import { printType } from '../../src/machinery/cel/types.js';
import { CelError, type Value } from '../../src/machinery/cel/values.js';
import { MessageError, typeOfSpec, valueOfSpec, variablesOfSpec } from '../support/cel-spec.js';
import { checkScore } from '../support/score.js';

/**
 * The cases of the specification (github.com/google/cel-spec), against what expressions of Kubernetes may call and
 * `cel.bind`. What does not pass is in test/scores/cel.json by its name, under the reason for it.
 */
const BUDGET = 1_000_000;
const LIBRARIES = [...KUBERNETES, BINDINGS];

type Verdict = 'passed' | { readonly failed: string };

const isSame = (a: Value, b: Value): boolean => {
  if (typeof a === 'number' && typeof b === 'number' && Number.isNaN(a)) return Number.isNaN(b);
  return typeof a === typeof b && new Comparison(a, b).run(Infinity) === true;
};

function run(test: SimpleTest): Verdict {
  const environment = createEnvironment({
    libraries: test.disableMacros ? LIBRARIES.map(library => ({ ...library, macros: [] })) : LIBRARIES,
    variables: variablesOfSpec(test.typeEnv),
    container: test.container,
    homogeneous: false,
    escapedNames: true,
  });
  const { resultMatcher } = test;
  const expectsError = resultMatcher.case === 'evalError' || resultMatcher.case === 'anyEvalErrors';
  const compiled = compile(test.expr, environment);
  if ('problems' in compiled) return expectsError ? 'passed' : { failed: compiled.problems };
  if (resultMatcher.case === 'typedResult') {
    const expected = printType(typeOfSpec(resultMatcher.value.deducedType));
    if (printType(compiled.type) !== expected) return { failed: `type ${printType(compiled.type)}` };
    if (test.checkOnly) return 'passed';
  }
  const activation: Record<string, Value> = {};
  for (const [name, { kind }] of Object.entries(test.bindings))
    if (kind.case === 'value') activation[name] = valueOfSpec(kind.value);
  let program;
  try {
    program = compiled.instantiate();
  } catch (error) {
    return expectsError ? 'passed' : { failed: String(error) };
  }
  const { value } = program.run(activation, BUDGET);
  if (value instanceof CelError) return expectsError ? 'passed' : { failed: value.message };
  if (expectsError) return { failed: 'no error' };
  const wanted = resultMatcher.case === 'typedResult' ? resultMatcher.value.result : resultMatcher.value;
  const expected = wanted === undefined ? true : valueOfSpec(wanted as Parameters<typeof valueOfSpec>[0]);
  return isSame(value, expected) ? 'passed' : { failed: 'another value' };
}

/** Why a case is none of Kubernetes, or why cel-go does otherwise there. The first that holds. */
const REASONS: readonly (readonly [string, (name: string, test: SimpleTest) => boolean])[] = [
  ['messages of protobuf', (_name, test) => isAboutMessages(test)],
  ['messages of protobuf', name => /^(?:enums|proto2|proto2_ext|proto3|wrappers)\//.test(name)],
  ['ext.Math is not in Kubernetes', name => name.startsWith('math_ext/')],
  ['ext.Encoders is not in Kubernetes', name => name.startsWith('encoders_ext/')],
  ['cel.@block is what an optimizer makes', name => name.startsWith('block_ext/')],
  ['ext.Strings is version 2 in Kubernetes', name => /^string_ext\/(?:format|value_errors)\//.test(name)],
  ['Kubernetes checks before it runs', (_name, test) => test.disableCheck],
  ['functions that only the case declares', (_name, test) => test.checkOnly && test.typeEnv.length > 0],
  ['cel-go lets the last of two equal keys stay', name => name.includes('/map_value_repeat_key')],
  [
    'cel-go finds no fields in scalars, unless told to fail',
    name => /\/map_(?:null_entry_no_such_key|present_key_invalid_field)$/.test(name),
  ],
  [
    'cel-go takes null for the more general type',
    name => name.endsWith('/null_assignable_to_abstract_parameter_candidate'),
  ],
];

const MESSAGE = /TestAllTypes|NestedTestAllTypes|google\.protobuf|google\.type|TestAllRequired|GlobalEnum/;
const isAboutMessages = (test: SimpleTest): boolean =>
  MESSAGE.test(
    test.expr +
      test.container +
      JSON.stringify(test, (_key, value: unknown) => (typeof value === 'bigint' ? 0 : value)),
  );

function cases(suite: IncrementalTestSuite, path: readonly string[]): (readonly [string, SimpleTest])[] {
  return [
    ...suite.tests.map(({ name, original }) => [[...path, name].join('/'), original] as const),
    ...suite.suites.flatMap(inner => cases(inner, [...path, inner.name])),
  ];
}

function verdict(test: SimpleTest): Verdict {
  try {
    return run(test);
  } catch (error) {
    if (!(error instanceof MessageError)) throw error;
    return { failed: error.message };
  }
}

t.test("the specification's cases", t => {
  const others = new Map<string, string[]>();
  let passed = 0;
  for (const [name, test] of cases(getConformanceSuite(), [])) {
    const found = verdict(test);
    if (found === 'passed') {
      passed++;
      continue;
    }
    const reason = REASONS.find(([, holds]) => holds(name, test))?.[0];
    const key = reason ?? 'differs';
    const text = reason === undefined ? `${name}: ${found.failed.split('\n')[0] ?? ''}` : name;
    others.set(key, [...(others.get(key) ?? []), text]);
  }
  checkScore(t, 'cel', { passed, ...Object.fromEntries(others) });
  t.end();
});
