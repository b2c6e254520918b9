import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { compile, InstantiationError } from '../../../src/machinery/cel/compile.js';
import type { Example, Library } from '../../../src/machinery/cel/declarations.js';
import { createEnvironment } from '../../../src/machinery/cel/environment.js';
import { isEqual } from '../../../src/machinery/cel/equality.js';
import {
  AUTHORIZER_TYPE,
  authorizerValue,
  type AuthorizationQuestion,
} from '../../../src/machinery/cel/libraries/authorizer.js';
import { JSON_PATCH } from '../../../src/machinery/cel/libraries/json-patch.js';
import { KUBERNETES } from '../../../src/machinery/cel/libraries/kubernetes.js';
import { DYN, STRING, type Type } from '../../../src/machinery/cel/types.js';
import { ArrayList, isError, type Value } from '../../../src/machinery/cel/values.js';
import { ROOT } from '../../support/root.js';

const LIBRARIES = [...KUBERNETES, JSON_PATCH];
const BUDGET = 1_000_000;

const environmentOf = (variables: ReadonlyMap<string, Type>) => createEnvironment({ libraries: LIBRARIES, variables });

interface Result {
  readonly value?: Value;
  readonly error?: string;
  readonly cost?: number;
  readonly max?: number;
}

type Environment = ReturnType<typeof environmentOf>;

function run(expr: string, environment: Environment, variables: Record<string, Value>): Result {
  const compiled = compile(expr, environment);
  if ('problems' in compiled) return { error: compiled.problems };
  try {
    const { value, cost } = compiled.instantiate().run(variables, BUDGET);
    const { max } = compiled.estimate();
    return isError(value) ? { error: value.message, cost, max } : { value, cost, max };
  } catch (error) {
    if (error instanceof InstantiationError) return { error: error.message };
    throw error;
  }
}

const AUTHORIZER = environmentOf(new Map([['authorizer', AUTHORIZER_TYPE]]));
const allowGet = authorizerValue(({ verb }) => ({ allowed: verb === 'get', reason: `asked for ${verb}` }));

const examplesOf = ({ functions, macros = [] }: Library): (readonly [string, Example])[] =>
  [...functions, ...macros].flatMap(({ name, examples }) => examples.map(example => [name, example] as const));

for (const library of LIBRARIES) {
  t.test(`${library.name}: the examples of its documentation hold`, async t => {
    for (const [name, { expr, is, error }] of examplesOf(library)) {
      const result = run(expr, AUTHORIZER, { authorizer: allowGet });
      if (error !== undefined) t.equal(result.error, error, expr);
      else if (is !== undefined) {
        const expected = run(is, AUTHORIZER, { authorizer: allowGet });
        const { value } = result;
        const isSame = value !== undefined && expected.value !== undefined && isEqual(value, expected.value);
        t.ok(isSame, `${name}: ${expr} is ${is}`, { result, expected });
      } else t.fail(`${expr} says nothing`);
    }
  });
}

t.test('overloads have ids of their own', async t => {
  const ids = LIBRARIES.flatMap(({ functions }) => functions.flatMap(({ overloads }) => overloads.map(({ id }) => id)));
  t.equal(new Set(ids).size, ids.length);
});

/** Answers of cel-go 0.26.0 with Kubernetes 1.35.4's environment. */
interface Answer {
  readonly expr: string;
  readonly value?: string;
  readonly error?: string;
  readonly issues?: string;
  readonly cost?: number;
  readonly min?: number;
  readonly max?: number;
}

const answers = JSON.parse(readFileSync(join(ROOT, 'test/fixtures/cel/answers.json'), 'utf8')) as readonly Answer[];

t.test('cel-go answers the same', async t => {
  for (const { expr, value, error, issues, cost, max } of answers) {
    const result = run(expr, AUTHORIZER, { authorizer: allowGet });
    if (issues !== undefined || error !== undefined) {
      t.equal(result.error, issues ?? error, expr);
    } else {
      const expected = run(value ?? '', AUTHORIZER, {});
      t.ok(
        result.value !== undefined && expected.value !== undefined && isEqual(result.value, expected.value),
        `${expr} is ${value ?? ''}`,
        { result },
      );
    }
    if (issues === undefined && cost !== undefined) {
      t.equal(result.cost, cost, `cost of ${expr}`);
      t.equal(result.max, max, `estimate of ${expr}`);
    }
  }
});

const QUESTIONS: readonly { readonly name: string; readonly expr: string; readonly expect: AuthorizationQuestion }[] = [
  {
    name: 'a path',
    expr: `authorizer.path('/healthz').check('get').allowed()`,
    expect: { verb: 'get', subject: { kind: 'path', path: '/healthz' } },
  },
  {
    name: 'a resource in full, with selectors',
    expr: `authorizer.group('apps').resource('deployments').subresource('scale').namespace('a').name('b')
      .fieldSelector('c=d').labelSelector('e in (f)').check('get').allowed()`,
    expect: {
      verb: 'get',
      subject: {
        kind: 'resource',
        group: 'apps',
        resource: 'deployments',
        subresource: 'scale',
        namespace: 'a',
        name: 'b',
        fields: [{ field: 'c', operator: '=', value: 'd' }],
        labels: [{ key: 'e', operator: 'in', values: ['f'] }],
      },
    },
  },
  {
    name: 'a selector that cannot be read is none',
    expr: `authorizer.group('').resource('pods').fieldSelector('c').labelSelector('(').check('get').allowed()`,
    expect: {
      verb: 'get',
      subject: { kind: 'resource', group: '', resource: 'pods', subresource: '', namespace: '', name: '' },
    },
  },
  {
    name: 'for a service account',
    expr: `authorizer.serviceAccount('ns', 'sa').path('x').check('get').allowed()`,
    expect: { verb: 'get', serviceAccount: { namespace: 'ns', name: 'sa' }, subject: { kind: 'path', path: 'x' } },
  },
];

t.test('authorizer asks', async t => {
  for (const { name, expr, expect } of QUESTIONS) {
    const asked: AuthorizationQuestion[] = [];
    const authorizer = authorizerValue(question => {
      asked.push(question);
      return { allowed: true, reason: '' };
    });
    t.equal(run(expr, AUTHORIZER, { authorizer }).value, true, name);
    t.strictSame(asked, [expect], name);
  }
});

t.test('a decision tells its reason and its error', async t => {
  const authorizer = authorizerValue(() => ({ allowed: false, reason: 'because', error: 'oops' }));
  const check = `authorizer.path('/x').check('get')`;
  t.equal(run(`${check}.reason() + ' ' + ${check}.error()`, AUTHORIZER, { authorizer }).value, 'because oops');
  t.equal(run(`${check}.errored() && !${check}.allowed()`, AUTHORIZER, { authorizer }).value, true);
});

t.test('what grows without end is refused', async t => {
  // As variables of a policy can make it, each of which is a list of the one before it, twice.
  let doubled: Value = new ArrayList([1n]);
  for (let i = 0; i < 40; i++) doubled = new ArrayList([doubled, doubled]);
  const lists = environmentOf(new Map([['l', DYN]]));
  t.match(run('l.flatten(50)', lists, { l: doubled }).error, 'result has more than');
  t.match(run(`'%s'.format([l])`, lists, { l: doubled }).error, 'result is longer than');
  t.match(run('l.indexOf(1)', lists, { l: doubled }).error, 'actual cost limit exceeded');
  const long = new Map<string, Type>([['s', STRING]]);
  const text = 'a'.repeat(100_000);
  t.match(run(`s.replace('', s)`, environmentOf(long), { s: text }).error, 'result is longer than');
});

t.test('texts are searched in time that grows with their length', async t => {
  const variables = new Map<string, Type>([
    ['s', STRING],
    ['p', STRING],
  ]);
  const values = { s: 'a'.repeat(1_000_000), p: `b${'a'.repeat(500_000)}` };
  const environment = environmentOf(variables);
  for (const expr of ['s.indexOf(p)', 's.lastIndexOf(p)']) t.equal(run(expr, environment, values).value, -1n, expr);
  t.equal(run(`s.replace(p, '') == s`, environment, values).value, true);
});
