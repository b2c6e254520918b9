import t from 'tap';
import { formatFieldError, path } from '../../../src/machinery/field-error.js';
import { parseFieldSelector } from '../../../src/machinery/fields.js';
import {
  formatLabelSelector,
  labelSelectorAsSelector,
  parseLabelSelector,
  selectorFromLabels,
} from '../../../src/machinery/labels.js';
import type { LabelSelector, ObjectMeta } from '../../../src/machinery/types.js';
import { validateLabelSelector } from '../../../src/machinery/validation/label-selector.js';
import * as names from '../../../src/machinery/validation/names.js';
import {
  validateFieldManager,
  validateObjectMeta,
  validateObjectMetaUpdate,
} from '../../../src/machinery/validation/object-meta.js';

t.test('label selectors select', t => {
  const labels = { app: 'a', tier: '5', 'x.io/y': '' };
  const cases: [text: string, matches: boolean, canonical: string][] = [
    ['', true, ''],
    ['app', true, 'app'],
    ['!app', false, '!app'],
    ['! gone , app==a', true, 'app==a,!gone'],
    ['app=b', false, 'app=b'],
    ['gone!=b', true, 'gone!=b'],
    ['app in (b, a,)', true, 'app in (,a,b)'],
    ['gone in ()', false, 'gone in ()'],
    ['gone notin (a)', true, 'gone notin (a)'],
    ['x.io/y=', true, 'x.io/y='],
    ['x.io/y in ()', true, 'x.io/y in ()'],
    ['tier>4', true, 'tier>4'],
    ['tier<5', false, 'tier<5'],
    ['app>4', false, 'app>4'],
    ['in in (in,notin)', false, 'in in (in,notin)'],
    ['toString', false, 'toString'],
  ];
  for (const [text, matches, canonical] of cases) {
    const selector = parseLabelSelector(text);
    t.equal(selector.matches(labels), matches, text);
    t.equal(selector.toString(), canonical);
  }
  t.equal(selectorFromLabels({ b: '1', a: '2' }).toString(), 'a=2,b=1');
  t.end();
});

t.test('label selectors that are none', t => {
  const cases: [text: string, error: string][] = [
    ['app in', "unable to parse requirement: found '' expected: '('"],
    ['app x', "unable to parse requirement: found 'x', expected: in, notin, =, ==, !=, gt, lt"],
    ['app=>x', "unable to parse requirement: found '>', expected: identifier"],
    ['app,', "found '', expected: identifier after ','"],
    ['!app=x', "found '=', expected: ',' or 'end of string'"],
    ['=x', "found '=', expected: !, identifier, or 'end of string'"],
    ['app in (x', "unable to parse requirement: found '', expected: ',' or ')'"],
    [
      'tier>x',
      `unable to parse requirement: values[0]: Invalid value: "x": for 'Gt', 'Lt' operators, the value must be an integer`,
    ],
    [
      `app=${'v'.repeat(64)}`,
      `unable to parse requirement: values[0][app]: Invalid value: "${'v'.repeat(64)}": must be no more than 63 bytes`,
    ],
  ];
  for (const [text, message] of cases) t.throws(() => parseLabelSelector(text), { message }, text);
  t.match(
    (() => {
      try {
        return parseLabelSelector('a@b=c').toString();
      } catch (error) {
        return (error as Error).message;
      }
    })(),
    /^unable to parse requirement: <nil>: Invalid value: "a@b": name part must consist of/,
  );
  t.end();
});

t.test('selector objects', t => {
  const selector: LabelSelector = {
    matchLabels: { app: 'a' },
    matchExpressions: [
      { key: 'tier', operator: 'NotIn', values: ['x', 'b'] },
      { key: 'z', operator: 'Exists' },
    ],
  };
  t.equal(formatLabelSelector(selector), 'app=a,tier notin (b,x),z');
  t.ok(labelSelectorAsSelector(selector).matches({ app: 'a', z: '1' }));
  t.notOk(labelSelectorAsSelector(selector).matches({ app: 'a' }));
  t.notOk(labelSelectorAsSelector(undefined).matches({}), 'none selects nothing');
  t.ok(labelSelectorAsSelector({}).matches({}), 'an empty one everything');
  t.throws(() => labelSelectorAsSelector({ matchExpressions: [{ key: 'a', operator: 'Foo' }] }), {
    message: '"Foo" is not a valid label selector operator',
  });
  const errors = validateLabelSelector(
    {
      matchExpressions: [
        { key: 'a', operator: 'Foo' },
        { key: 'a', operator: 'In' },
        { key: 'a', operator: 'Exists', values: ['b'] },
      ],
    },
    path('spec', 'selector'),
  );
  t.same(errors.map(formatFieldError), [
    'spec.selector.matchExpressions[0].operator: Invalid value: "Foo": not a valid selector operator',
    "spec.selector.matchExpressions[1].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
    "spec.selector.matchExpressions[2].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
  ]);
  t.end();
});

t.test('field selectors', t => {
  const object = new Map([
    ['metadata.name', 'a,b'],
    ['status.phase', 'Running'],
  ]);
  const get = (field: string): string => object.get(field) ?? '';
  const cases: [text: string, matches: boolean, canonical: string][] = [
    ['', true, ''],
    ['status.phase==Running', true, 'status.phase=Running'],
    ['status.phase!=Running,metadata.name=a\\,b', false, 'metadata.name=a\\,b,status.phase!=Running'],
    ['spec.nodeName=', true, 'spec.nodeName='],
    ['=,', true, ''],
  ];
  for (const [text, matches, canonical] of cases) {
    const selector = parseFieldSelector(text);
    t.equal(selector.matches(get), matches, text);
    t.equal(selector.toString(), canonical);
  }
  t.equal(parseFieldSelector('a!=b,metadata.name=x').exactValue('metadata.name'), 'x');
  t.equal(parseFieldSelector('a!=b').exactValue('a'), undefined);
  const errors: [text: string, message: string][] = [
    ['metadata.name', "invalid selector: 'metadata.name'; can't understand 'metadata.name'"],
    ['a=b\\', 'invalid field selector: invalid escape sequence: \\'],
    ['a=b\\c', 'invalid field selector: invalid escape sequence: \\c'],
    ['a=b=c', 'invalid field selector: unescaped character in value: 61'],
  ];
  for (const [text, message] of errors) t.throws(() => parseFieldSelector(text), { message }, text);
  t.end();
});

t.test('formats of names', t => {
  const subdomain =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
  const name =
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
  const cases: [check: names.FormatCheck, value: string, problems: string[]][] = [
    [names.isDns1123Subdomain, 'a.b-c', []],
    [names.isDns1123Subdomain, 'a..b', [subdomain]],
    [names.isDns1123Subdomain, 'a'.repeat(254), ['must be no more than 253 characters']],
    [names.isDns1123Subdomain, 'a\n', [subdomain]],
    [names.isDns1123Label, 'a.b', ['must not contain dots']],
    [
      names.isDns1123Label,
      '-a',
      [
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
      ],
    ],
    [
      names.isDns1035Label,
      '1a',
      [
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
      ],
    ],
    [names.isQualifiedName, 'x.io/Name_1', []],
    [names.isQualifiedName, 'a b', [name]],
    [names.isQualifiedName, '/a', ['prefix part must be non-empty']],
    [names.isQualifiedName, 'X/a', [`prefix part ${subdomain}`]],
    [names.isQualifiedName, 'a/', ['name part must be non-empty', name]],
    [names.isQualifiedName, 'a'.repeat(64), ['name part must be no more than 63 bytes']],
    [names.isLabelValue, '', []],
    [names.isLabelValue, 'a'.repeat(64), ['must be no more than 63 bytes']],
    [names.isPortName, 'http', []],
    [
      names.isPortName,
      '-A--1234567890123',
      [
        'must be no more than 15 characters',
        'must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
        'must contain at least one letter (a-z)',
        'must not contain consecutive hyphens',
        'must not begin or end with a hyphen',
      ],
    ],
    [names.isConfigMapKey, 'a.b', []],
    [names.isConfigMapKey, '..a', ["must not start with '..'"]],
    [names.isRelaxedEnvVarName, 'a b', []],
    [
      names.isRelaxedEnvVarName,
      'a=b',
      ["a valid environment variable name must consist only of printable ASCII characters other than '='"],
    ],
  ];
  for (const [check, value, problems] of cases) t.same(check(value), problems, `${check.name} ${value.slice(0, 20)}`);
  t.same(names.isPortNumber(0), ['must be between 1 and 65535, inclusive']);
  t.same(names.nameIsDnsSubdomain('a-', true), [], 'a prefix may end with a dash');
  t.same(names.nameIsPathSegment('a/b%', false), ["may not contain '/'", "may not contain '%'"]);
  t.same(names.nameIsPathSegment('..', false), ["may not be '..'"]);
  t.end();
});

t.test('metadata', t => {
  const rules = { namespaced: true, name: names.nameIsDnsSubdomain, builtIn: true };
  const check = (meta: ObjectMeta): string[] => validateObjectMeta(meta, rules, path('metadata')).map(formatFieldError);
  const ok: ObjectMeta = { name: 'a', namespace: 'n' };
  const cases: [name: string, meta: ObjectMeta, errors: (string | RegExp)[]][] = [
    ['valid', ok, []],
    ['no name', { namespace: 'n' }, ['metadata.name: Required value: name or generateName is required']],
    ['no namespace', { name: 'a' }, ['metadata.namespace: Required value']],
    [
      'finalizers',
      { ...ok, finalizers: ['x', 'orphan', 'foregroundDeletion'] },
      [
        'metadata.finalizers: Invalid value: ["x","orphan","foregroundDeletion"]: finalizer orphan and foregroundDeletion cannot be both set',
        'metadata.finalizers[0]: Invalid value: "x": name is neither a standard finalizer name nor is it fully qualified',
      ],
    ],
    [
      'owner without anything',
      { ...ok, ownerReferences: [{ apiVersion: 'apps/', kind: '', name: '', uid: '' }] },
      [
        'metadata.ownerReferences.apiVersion: Invalid value: "apps/": version must not be empty',
        'metadata.ownerReferences.kind: Invalid value: "": must not be empty',
        'metadata.ownerReferences.name: Invalid value: "": must not be empty',
        'metadata.ownerReferences.uid: Invalid value: "": must not be empty',
      ],
    ],
    [
      'big annotations',
      { ...ok, annotations: { a: 'x'.repeat(256 * 1024) } },
      ['metadata.annotations: Too long: may not be more than 262144 bytes'],
    ],
    ['upper case annotation', { ...ok, annotations: { 'A.B/c': '' } }, []],
    ['generation', { ...ok, generation: -1 }, [/metadata.generation: .*must be greater than or equal to 0/]],
    [
      'managed fields',
      { ...ok, managedFields: [{ manager: 'm', fieldsType: 'X' }] },
      [
        'metadata.managedFields[0].operation: Invalid value: "": must be `Apply` or `Update`',
        'metadata.managedFields[0].fieldsType: Invalid value: "X": must be `FieldsV1`',
      ],
    ],
  ];
  for (const [name, meta, errors] of cases) t.match(check(meta), errors, name);
  for (const [name, meta, errors] of cases) t.equal(check(meta).length, errors.length, name);

  const old: ObjectMeta = {
    ...ok,
    uid: 'u',
    resourceVersion: '1',
    generation: 2,
    deletionTimestamp: '2026-01-01T00:00:00Z',
  };
  const update = (meta: ObjectMeta): string[] =>
    validateObjectMetaUpdate(meta, old, path('metadata'), { builtIn: true }).map(formatFieldError);
  t.same(update(old), []);
  t.same(update({ ...old, uid: 'v', finalizers: ['a/b'], generation: 1, resourceVersion: '' }), [
    'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"a/b"}',
    'metadata.resourceVersion: Invalid value: "": must be specified for an update',
    'metadata.generation: Invalid value: 1: must not be decremented',
    'metadata.uid: Invalid value: "v": field is immutable',
  ]);
  t.same(validateFieldManager('a\tb', path('fieldManager')).map(formatFieldError), [
    'fieldManager: Invalid value: "a\\tb": invalid character U+0009 (at position 1)',
  ]);
  t.end();
});
