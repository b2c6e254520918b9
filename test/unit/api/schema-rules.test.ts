import t from 'tap';
import { asked, createRuleValidator, OBJECT_BUDGET } from '../../../src/api/structural/cel/rule-validator.js';
import { Correlation } from '../../../src/api/structural/correlation.js';
import type { JsonSchemaProps, ValidationRule } from '../../../src/api/structural/json-schema-props.js';
import { structuralOf } from '../../../src/api/structural/structural-schema.js';
import { formatFieldError, type FieldError } from '../../../src/machinery/field-error.js';
import { atOnce } from '../../../src/machinery/steps.js';

const string: JsonSchemaProps = { type: 'string', maxLength: 1000 };
const withRules = (schema: JsonSchemaProps, ...rules: readonly ValidationRule[]): JsonSchemaProps => ({
  ...schema,
  'x-kubernetes-validations': rules,
});
const object = (properties: Record<string, JsonSchemaProps>): JsonSchemaProps => ({ type: 'object', properties });

interface Answer {
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

function ask(schema: JsonSchemaProps, value: unknown, old?: unknown, budget = OBJECT_BUDGET): Answer {
  const errors: FieldError[] = [];
  const warnings: string[] = [];
  const known = old === undefined ? undefined : new Correlation(value, old, structuralOf(schema), true);
  const run = asked(errors, text => void warnings.push(text), known);
  const rules = createRuleValidator(schema, true);
  if (rules === undefined) throw new Error('there are no rules');
  atOnce(rules.check(value, old, undefined, run, budget));
  return { errors: errors.map(formatFieldError), warnings };
}

interface Row {
  readonly name: string;
  readonly schema: JsonSchemaProps;
  readonly value: unknown;
  readonly old?: unknown;
  readonly budget?: number;
  readonly expect: readonly string[];
  readonly warnings?: readonly string[];
}

const IMMUTABLE: ValidationRule = { rule: 'self == oldSelf', message: 'may not change' };
const list = (more: JsonSchemaProps, ...rules: readonly ValidationRule[]): JsonSchemaProps => ({
  type: 'array',
  items: withRules(object({ k: string, v: string }), ...rules),
  ...more,
});
const byKey: JsonSchemaProps = { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['k'] };

const ROWS: readonly Row[] = [
  {
    name: 'a scalar is shown, an object is not, the root has no path',
    schema: withRules(
      object({ n: withRules({ type: 'integer' }, { rule: 'self > 5' }), o: withRules(object({}), { rule: 'false' }) }),
      { rule: 'false', message: ' of all ' },
    ),
    value: { n: 3, o: {} },
    expect: [
      '<nil>: Invalid value: of all',
      'n: Invalid value: 3: failed rule: self > 5',
      'o: Invalid value: failed rule: false',
    ],
  },
  {
    name: 'reasons',
    schema: object({
      a: withRules(
        string,
        { rule: 'false', reason: 'FieldValueForbidden' },
        { rule: 'false', reason: 'FieldValueRequired' },
        { rule: 'false', reason: 'FieldValueDuplicate' },
        { rule: 'false', reason: 'FieldValueInvalid' },
      ),
      o: withRules(object({}), { rule: 'false', reason: 'FieldValueDuplicate' }),
    }),
    value: { a: 'x', o: {} },
    expect: [
      'a: Forbidden: failed rule: false',
      'a: Required value: failed rule: false',
      'a: Duplicate value: "x"',
      'a: Invalid value: "x": failed rule: false',
      'o: Duplicate value',
    ],
  },
  {
    name: 'messages: of an expression, of one that says nothing, of one that fails, where',
    schema: object({
      o: withRules(
        object({ a: string, m: { type: 'object', additionalProperties: string } }),
        { rule: 'false', messageExpression: "' a is ' + self.a + ' '" },
        { rule: 'false', message: 'plain', messageExpression: "' '" },
        { rule: 'false', messageExpression: "'a\\nb'" },
        { rule: 'false', message: 'plain', messageExpression: "self.m['none']" },
        { rule: 'false', message: 'there', fieldPath: ".m['k']" },
      ),
    }),
    value: { o: { a: 'x', m: {} } },
    expect: [
      'o: Invalid value: a is x',
      'o: Invalid value: plain',
      'o: Invalid value: failed rule: false',
      'o: Invalid value: plain',
      'o.m[k]: Invalid value: there',
    ],
  },
  {
    name: 'what goes wrong while a rule is asked',
    schema: object({
      n: withRules({ type: 'integer' }, { rule: '1 / self > 0' }, { rule: '1 / self > 0', message: 'of zero' }),
      e: withRules({ 'x-kubernetes-int-or-string': true }, { rule: 'self < 5' }),
      l: withRules({ type: 'array', items: string }, { rule: "self[3] == ''" }),
    }),
    value: { n: 0, e: 'x', l: [] },
    expect: [
      'n: Invalid value: "integer": division by zero evaluating rule: 1 / self > 0',
      'n: Invalid value: "integer": division by zero evaluating rule: of zero',
      'e: Invalid value: "": \'no such overload\': call arguments did not match a supported operator, function or macro signature for rule: self < 5',
      'l: Invalid value: "array": index out of bounds: 3 evaluating rule: self[3] == \'\'',
    ],
  },
  {
    name: 'a rule about the old value is not asked without one',
    schema: object({ a: withRules(string, IMMUTABLE) }),
    value: { a: 'x' },
    expect: [],
  },
  {
    name: 'a rule about an old value that there may not be',
    schema: object({ a: withRules(string, { rule: 'oldSelf.hasValue()', optionalOldSelf: true, message: 'is new' }) }),
    value: { a: 'x' },
    expect: ['a: Invalid value: "x": is new'],
  },
  {
    name: 'old values are known by the keys of lists',
    schema: object({ l: list(byKey, IMMUTABLE) }),
    value: { l: [{ k: 'b', v: '2' }, { k: 'a', v: '9' }, { k: 'c' }] },
    old: {
      l: [
        { k: 'a', v: '1' },
        { k: 'b', v: '2' },
      ],
    },
    expect: ['l[1]: Invalid value: may not change'],
  },
  {
    name: 'what has not changed may be wrong, and is warned of',
    schema: object({
      l: list(byKey, { rule: "self.v == 'x'", message: 'must be x' }),
      a: withRules(string, { rule: "self == 'x'", message: 'must be x' }),
      m: { type: 'object', additionalProperties: withRules(string, { rule: "self == 'x'", message: 'must be x' }) },
    }),
    value: {
      a: 'y',
      l: [
        { k: 'b', v: '2' },
        { k: 'a', v: '1' },
      ],
      m: { p: 'q', r: 's' },
    },
    old: {
      a: 'y',
      l: [
        { k: 'a', v: '1' },
        { k: 'b', v: '3' },
      ],
      m: { p: 'q' },
    },
    expect: ['l[0]: Invalid value: must be x', 'm[r]: Invalid value: "s": must be x'],
    warnings: [
      'a: Invalid value: "y": must be x',
      'l[1]: Invalid value: must be x',
      'm[p]: Invalid value: "q": must be x',
    ],
  },
  {
    name: 'items of other lists are known when the list is the same',
    schema: object({ l: { type: 'array', items: withRules(string, { rule: "self == 'x'", message: 'must be x' }) } }),
    value: { l: ['y'] },
    old: { l: ['y'] },
    expect: [],
    warnings: ['l[0]: Invalid value: "y": must be x'],
  },
  {
    name: 'no rule is asked about null, and a null is not there for others',
    schema: object({
      o: withRules(object({ a: withRules({ ...string, nullable: true }, { rule: 'false' }) }), {
        rule: '!has(self.a)',
      }),
    }),
    value: { o: { a: null } },
    expect: [],
  },
  {
    name: 'names that are none for CEL',
    schema: object({
      'a-b': withRules(string, { rule: 'false', message: 'first' }),
      ä: withRules(string, { rule: 'false', message: 'second' }),
      o: withRules(object({ namespace: string, 'x-y': string }), {
        rule: "self.namespace == 'n' && self.x__dash__y == ''",
        message: 'third',
      }),
    }),
    value: { 'a-b': '', ä: '', o: { namespace: 'n', 'x-y': 'z' } },
    expect: ['a-b: Invalid value: "": first', 'ä: Invalid value: "": second', 'o: Invalid value: third'],
  },
  {
    name: 'an object of the API within another has a name',
    schema: object({
      o: withRules(
        { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true },
        { rule: "self.metadata.name == 'a' && self.kind == 'Pod'", message: 'no Pod' },
      ),
    }),
    value: { o: { kind: 'Pod', apiVersion: 'v1', metadata: { name: 'b' } } },
    expect: ['o: Invalid value: no Pod'],
  },
  {
    name: 'one rule costs more than a call may',
    schema: object({
      l: withRules(
        { type: 'array', items: string },
        { rule: 'self.all(a, self.all(b, self.all(c, size(a) < 9)))' },
        { rule: 'false' },
      ),
      z: withRules(string, { rule: 'false' }),
    }),
    value: { l: Array.from({ length: 100 }, (_, i) => String(i)), z: '' },
    expect: [
      'l: Invalid value: "array": \'operation cancelled: actual cost limit exceeded\': no further validation rules will be run due to call cost exceeds limit for rule: self.all(a, self.all(b, self.all(c, size(a) < 9)))',
    ],
  },
  {
    name: 'all rules cost more than an object may',
    schema: object({
      l: { type: 'array', items: withRules(string, { rule: 'self.size() < 5' }) },
      z: withRules(string, { rule: 'false' }),
    }),
    value: { l: ['a', 'b', 'c'], z: '' },
    budget: 7,
    expect: [
      'l[2]: Invalid value: "string": validation failed due to running out of cost budget, no further validation rules will be run',
    ],
  },
];

for (const { name, schema, value, old, budget, expect, warnings = [] } of ROWS)
  t.test(`rules: ${name}`, t => {
    const answer = ask(schema, value, old, budget);
    t.same(answer.errors, expect);
    t.same(answer.warnings, warnings);
    t.end();
  });

t.test('an item is not known again by what every object has', t => {
  const schema: JsonSchemaProps = {
    type: 'array',
    items: object({}),
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['__proto__'],
  };
  const old: unknown = JSON.parse('[{"__proto__":{}}]');
  t.equal(new Correlation([{}], old, structuralOf(schema)).index(0), undefined);
  t.ok(new Correlation(JSON.parse('[{"__proto__":{}}]'), old, structuralOf(schema)).index(0));
  t.end();
});
