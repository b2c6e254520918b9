import t from 'tap';
import { declareSchema } from '../../../src/machinery/cel/adapt/schema.js';
import { compile, compileSteps } from '../../../src/machinery/cel/compile.js';
import { createEnvironment, extendEnvironment } from '../../../src/machinery/cel/environment.js';
import { createCompiler, createCompilerInSteps, isCompileError } from '../../../src/machinery/cel/admission/compile.js';
import { printType } from '../../../src/machinery/cel/types.js';
import { KUBERNETES } from '../../../src/machinery/cel/libraries/kubernetes.js';

const schema = declareSchema(
  {
    type: 'object',
    properties: {
      items: { type: 'array', items: { type: 'string' } },
      set: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
      map: { type: 'object', additionalProperties: { type: 'integer' } },
      text: { type: 'string' },
    },
  },
  { isRoot: false, name: 'Self' },
);
if (schema === undefined) throw new Error('the schema has no type');
const environment = extendEnvironment(createEnvironment({ libraries: KUBERNETES }), {
  variables: new Map([
    ['self', schema.type],
    ['oldSelf', schema.type],
  ]),
  provider: schema.provider,
});

const names = Array.from({ length: 30_000 }, (_, i) => `item-${i}`);
const data = {
  items: names,
  set: names,
  map: Object.fromEntries(names.map((name, i) => [name, i])),
  text: 'a'.repeat(200_000),
};
const self = schema.value(data);
const oldSelf = schema.value(structuredClone(data));
const BUDGET = 1_000_000;

function run(source: string): { readonly rests: number; readonly isOverBudget: boolean; readonly value: unknown } {
  const compiled = compile(source, environment);
  if ('problems' in compiled) throw new Error(compiled.problems);
  const steps = compiled.instantiate().steps({ self, oldSelf }, BUDGET);
  for (let rests = 0; ; rests++) {
    const step = steps.next();
    if (step.done === true) return { rests, isOverBudget: step.value.isOverBudget, value: step.value.value };
  }
}

t.test('what takes long rests', t => {
  const rows: readonly { readonly name: string; readonly input: string; readonly expect: boolean | 'over budget' }[] = [
    { name: 'a loop', input: 'self.items.all(x, x != "")', expect: true },
    { name: 'a loop in a loop', input: 'self.items.all(x, self.items.exists(y, y == x))', expect: 'over budget' },
    { name: 'large values compared', input: 'self == oldSelf', expect: true },
    { name: 'sets compared', input: 'self.set == oldSelf.set', expect: true },
    {
      name: 'a list that is made',
      input: 'self.items.map(x, x + "a").filter(x, x != "").size() > 0',
      expect: true,
    },
    { name: 'keys of a map', input: 'self.map.all(k, self.map[k] >= 0)', expect: true },
    {
      name: 'large arguments in a loop',
      input: 'self.items.all(x, size(self.map) > 0 && size(self.text) > 0)',
      expect: true,
    },
    { name: 'a regular expression of many states', input: "self.text.matches('(.*b.{90}){1}c')", expect: false },
  ];
  for (const { name, input, expect } of rows) {
    const { rests, isOverBudget, value } = run(input);
    t.same(isOverBudget ? 'over budget' : value, expect, name);
    t.ok(rests > 0, `${name}: ${rests} rests`);
  }
  t.end();
});

t.test('what is short does not', t => {
  t.same(run('self.items[0] == "item-0" && "item-1" in self.map').rests, 0);
  t.end();
});

t.test('what would cost too much does not happen', t => {
  // Each doubles what there is: 200,000 characters are 200 billion.
  const doubled = `[self.text]${'.map(x, x + x)'.repeat(20)}.size() > 0`;
  t.same(run(doubled).isOverBudget, true);
  t.end();
});

t.test('a type that loops make larger and larger is refused', t => {
  const compiled = compile(`[1]${'.map(x, {x: x})'.repeat(60)}`, environment);
  t.match('problems' in compiled ? compiled.problems : '', 'type is too large');
  t.end();
});

t.test('copies that a macro makes of copies stay bounded', t => {
  const compiled = compile(`optional.of(1)${'.optMap(x, x)'.repeat(200)}`, environment);
  t.notOk('problems' in compiled);
  t.end();
});

t.test('a long expression is checked in parts, with the same result', t => {
  const source = Array.from({ length: 2000 }, (_, i) => `[${i}].all(x, x < self.items.size())`).join(' && ');
  const steps = compileSteps(`${source} && self.missing`, environment);
  let rests = 0;
  for (let step = steps.next(); ; step = steps.next(), rests++) {
    if (step.done !== true) continue;
    t.match('problems' in step.value ? step.value.problems : '', /^ERROR: <input>:1:\d+: undefined field 'missing'/);
    break;
  }
  t.ok(rests > 10, `${rests} rests`);
  t.end();
});

t.test('a long expression of a policy is compiled with rests, and is what it is without them', t => {
  const scope = { hasParams: false, hasAuthorizer: true };
  const rows: readonly { readonly name: string; readonly input: string; readonly expect: string }[] = [
    {
      name: 'one that can be run',
      input: Array.from({ length: 2000 }, (_, i) => `object.a == "${i}"`).join(' || '),
      expect: 'bool',
    },
    { name: 'one of another type', input: `[${Array(3000).fill('1').join()}]`, expect: 'must evaluate to bool' },
    { name: 'one that is none', input: `${'object.a && '.repeat(2000)}nothing`, expect: 'undeclared reference' },
  ];
  for (const { name, input, expect } of rows) {
    const steps = createCompilerInSteps(scope)(input, ['bool']);
    let rests = 0;
    let step = steps.next();
    for (; step.done !== true; step = steps.next()) rests++;
    t.ok(rests > 3, `${name}: rests`);
    const told = [step.value, createCompiler(scope)(input, ['bool'])].map(one =>
      isCompileError(one) ? one.error : printType(one.type),
    );
    t.match(told[0], expect, name);
    t.equal(told[0], told[1], `${name}: the same`);
  }
  t.end();
});

t.test('a long expression is planned with rests, and does what one without them does', t => {
  const rows: readonly { readonly name: string; readonly input: string; readonly expect: unknown }[] = [
    { name: 'logic', input: Array.from({ length: 2000 }, (_, i) => `self.text == "${i}"`).join(' || '), expect: false },
    {
      name: 'calls in a list',
      input: `[${Array.from({ length: 2000 }, (_, i) => `size("${i}") + ${i}`).join(', ')}].size() == 2000`,
      expect: true,
    },
    {
      name: 'loops',
      input: Array.from({ length: 300 }, (_, i) => `[1, 2].all(x, x + ${i} > [0].map(y, y)[0])`).join(' && '),
      expect: true,
    },
    {
      name: 'a range that is long',
      input: `[${Array.from({ length: 3000 }, (_, i) => i).join(', ')}].exists(x, x == 2999)`,
      expect: true,
    },
  ];
  for (const { name, input, expect } of rows) {
    const compiled = compile(input, environment);
    if ('problems' in compiled) return void t.fail(compiled.problems);
    const steps = compiled.instantiateSteps();
    let rests = 0;
    let step = steps.next();
    for (; step.done !== true; step = steps.next()) rests++;
    t.ok(rests > 3, `${name}: rests`);
    const small = schema.value({ text: 'a' });
    const slow = step.value.run({ self: small }, BUDGET);
    const quick = compiled.instantiate().run({ self: small }, BUDGET);
    t.equal(slow.value, expect, name);
    t.equal(slow.cost, quick.cost, `${name}: costs`);
  }
  t.end();
});
