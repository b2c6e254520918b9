import t from 'tap';
import { printType } from '../../../src/machinery/cel/types.js';
import type { KubeObject } from '../../../src/machinery/types.js';
import { createCompiler, isCompileError } from '../../../src/machinery/cel/admission/compile.js';
import { createErrors, updateErrors } from '../../support/kinds.js';

const NEEDED =
  "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";

t.test('CEL: problems have places, types are those of what is known', async t => {
  const compile = createCompiler({ hasParams: false, hasAuthorizer: true });
  const problem = (place: string, text: string, line: string): string =>
    `ERROR: <input>:${place}: ${text}\n | ${line}\n | ${'.'.repeat(Number(place.split(':')[1]) - 1)}^`;
  const cases: readonly { name: string; input: string; expect: string; type?: string }[] = [
    { name: 'literal', input: '1', expect: '', type: 'int' },
    { name: 'comparison', input: 'object.spec.replicas <= 5', expect: '', type: 'bool' },
    { name: 'field of a struct', input: 'request.name', expect: '', type: 'string' },
    { name: 'macro', input: 'object.items.all(x, x.y > 0)', expect: '', type: 'bool' },
    { name: 'list', input: '[1, 2]', expect: '', type: 'list(int)' },
    { name: 'escaped string', input: '"a\\n" + \'b\'', expect: '', type: 'string' },
    {
      name: 'end too early',
      input: 'object.a ==',
      expect: problem('1:12', `Syntax error: mismatched input '<EOF>' expecting ${NEEDED}`, 'object.a =='),
    },
    {
      name: 'open parenthesis',
      input: '(object',
      expect: problem('1:8', "Syntax error: missing ')' at '<EOF>'", '(object'),
    },
    {
      name: 'one word too many',
      input: 'object b',
      expect: problem('1:8', "Syntax error: extraneous input 'b' expecting <EOF>", 'object b'),
    },
    {
      name: 'undeclared',
      input: 'object.items.all(x, z > 0)',
      expect: problem('1:21', "undeclared reference to 'z' (in container '')", 'object.items.all(x, z > 0)'),
    },
    {
      name: 'unknown function',
      input: 'foo(1)',
      expect: problem('1:4', "undeclared reference to 'foo' (in container '')", 'foo(1)'),
    },
    { name: 'unknown field', input: 'request.foo', expect: problem('1:8', "undefined field 'foo'", 'request.foo') },
    {
      name: 'overload',
      input: '1 + "a"',
      expect: problem('1:3', "found no matching overload for '_+_' applied to '(int, string)'", '1 + "a"'),
    },
    {
      name: 'second line',
      input: 'true\n&& y',
      expect: problem('2:4', "undeclared reference to 'y' (in container '')", '&& y'),
    },
  ];
  for (const { name, input, expect, type } of cases) {
    const result = compile(input);
    t.equal(isCompileError(result) ? result.error : '', expect === '' ? '' : `compilation failed: ${expect}`, name);
    if (type !== undefined) t.equal(result.type === undefined ? '' : printType(result.type), type, name);
  }
});

const hooks = (change: object): KubeObject => ({
  metadata: { name: 'hooks' },
  webhooks: [
    {
      name: 'a.example.com',
      clientConfig: { url: 'https://a.example.com/x' },
      rules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }],
      sideEffects: 'None',
      admissionReviewVersions: ['v1'],
      ...change,
    },
  ],
});

t.test('webhook configurations', async t => {
  const kind = 'validatingwebhookconfigurations.admissionregistration.k8s.io';
  const rule = { operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'] };
  const cases: readonly { name: string; input: object; expect: string[] }[] = [
    { name: 'valid', input: {}, expect: [] },
    {
      name: 'name',
      input: { name: 'a.b' },
      expect: [
        'webhooks[0].name: Invalid value: "a.b": should be a domain with at least three segments separated by dots',
      ],
    },
    {
      name: 'url',
      input: { clientConfig: { url: 'http://a?b=c' } },
      expect: [
        'webhooks[0].clientConfig.url: Invalid value: "http": \'https\' is the only allowed URL scheme; desired format: https://host[/path]',
        'webhooks[0].clientConfig.url: Invalid value: "b=c": query parameters are not permitted in the URL',
      ],
    },
    {
      name: 'covered resource',
      input: { rules: [{ ...rule, resources: ['pods/*', 'pods/status'] }] },
      expect: [
        'webhooks[0].rules[0].resources[1]: Invalid value: "pods/status": if \'pods/*\' is present, must not specify pods/status',
      ],
    },
    {
      name: 'review versions',
      input: { admissionReviewVersions: ['v2'] },
      expect: ['webhooks[0].admissionReviewVersions: Invalid value: ["v2"]: must include at least one of v1, v1beta1'],
    },
    {
      name: 'condition',
      input: { matchConditions: [{ name: 'x', expression: '1' }] },
      expect: ['webhooks[0].matchConditions[0].expression: Invalid value: "1": must evaluate to bool but got int'],
    },
  ];
  for (const { name, input, expect } of cases) t.strictSame(createErrors(kind, hooks(input)), expect, name);
  const bad = hooks({ matchConditions: [{ name: 'x', expression: 'nosuch' }] });
  t.strictSame(
    updateErrors(kind, bad, changed => {
      changed.metadata.labels = { a: 'b' };
    }),
    [],
    'conditions that have not changed are left alone',
  );
});

t.test('admission policies', async t => {
  const policy = (spec: object): KubeObject => ({
    metadata: { name: 'p' },
    spec: {
      matchConstraints: {
        resourceRules: [{ operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*'] }],
      },
      ...spec,
    },
  });
  const kind = 'validatingadmissionpolicies.admissionregistration.k8s.io';
  const valid = { validations: [{ expression: 'variables.n > 1' }], variables: [{ name: 'n', expression: '2' }] };
  t.strictSame(createErrors(kind, policy(valid)), []);
  t.strictSame(createErrors(kind, policy({})), [
    'spec.validations: Required value: validations or auditAnnotations must contain at least one item',
    'spec.auditAnnotations: Required value: validations or auditAnnotations must contain at least one item',
  ]);
  t.match(createErrors(kind, policy({ validations: [{ expression: 'params.x == 1' }] })), [
    /undeclared reference to 'params'/,
  ]);
  const binding = { metadata: { name: 'b' }, spec: { policyName: 'p', validationActions: ['Deny', 'Warn'] } };
  t.match(createErrors('validatingadmissionpolicybindings.admissionregistration.k8s.io', binding), [
    /^spec.validationActions: Invalid value: \["Deny","Warn"\]: must not contain both Deny and Warn/,
  ]);
});
