import t, { type Test } from 'tap';
import { realClock } from '../../../src/machinery/clock.js';
import { StatusError } from '../../../src/machinery/status.js';
import { createTurns } from '../../../src/machinery/turns.js';
import type { KubeObject } from '../../../src/machinery/types.js';
import {
  validatingAdmissionPolicyBindingStrategy,
  validatingAdmissionPolicyStrategy,
} from '../../../src/kinds/admissionregistration/admission-policy.js';
import { createEquivalents } from '../../../src/server/admission/matching/equivalents.js';
import { createPolicyMetrics, type PolicyMetrics } from '../../../src/server/admission/policies/metrics.js';
import { createValidatingPolicies } from '../../../src/server/admission/policies/validating.js';
import type { AdmissionPlugin } from '../../../src/server/admission/types.js';
import { createVersions } from '../../../src/server/admission/webhooks/versions.js';
import type { Authorizer } from '../../../src/server/auth/authorizer.js';
import { fixture, type Fixture } from '../../support/registries.js';

const POLICIES = 'validatingadmissionpolicies.admissionregistration.k8s.io';
const BINDINGS = 'validatingadmissionpolicybindings.admissionregistration.k8s.io';

/** Lets "get" of anything pass. */
const authorizer: Authorizer = {
  authorize: ({ verb }) => ({ decision: verb === 'get' ? 'allow' : 'noOpinion', reason: `asked to ${verb}` }),
  rulesFor: () => ({ resourceRules: [], nonResourceRules: [], incomplete: false, errors: [] }),
};

interface Served extends Fixture {
  readonly annotations: Map<string, string>;
  readonly metrics: PolicyMetrics;
}

async function served(t: Test): Promise<Served> {
  const plugins: AdmissionPlugin[] = [];
  const metrics = createPolicyMetrics();
  const annotations = new Map<string, string>();
  const late: AdmissionPlugin = {
    name: 'ValidatingAdmissionPolicy',
    async validate(ctx, request) {
      const told = { ...ctx, annotate: (key: string, value: string) => void annotations.set(key, value) };
      for (const plugin of plugins) await plugin.validate?.(told, request);
    },
  };
  const made = await fixture({
    strategies: {
      [POLICIES]: validatingAdmissionPolicyStrategy,
      [BINDINGS]: validatingAdmissionPolicyBindingStrategy,
    },
    admission: [late],
  });
  t.teardown(made.close);
  const { catalog } = made;
  plugins.push(
    createValidatingPolicies({
      catalog,
      turns: createTurns(realClock),
      authorizer,
      equivalents: createEquivalents(catalog),
      versions: createVersions(catalog),
      clock: realClock,
      metrics,
    }),
  );
  await create(made, 'namespaces', { metadata: { name: 'ns', labels: { team: 'a' } } });
  return { ...made, annotations, metrics };
}

const create = (f: Fixture, resource: string, object: KubeObject): Promise<KubeObject> =>
  f.registries.objects.create(f.context(), resource, object);

/** What is said to a ConfigMap; '' when it is created. */
async function verdict(f: Fixture, metadata: object, data: Record<string, string>): Promise<string> {
  try {
    await create(f, 'configmaps', { metadata: { name: 'x', namespace: 'ns', ...metadata }, data });
    await f.registries.objects.delete(f.context(), 'configmaps', { namespace: 'ns', name: 'x' }, { dryRun: false });
    return '';
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    const { code, message = '' } = error.status;
    return `${code} ${message}`;
  }
}

interface Case {
  readonly name: string;
  readonly policy?: object;
  readonly binding?: object;
  readonly metadata?: object;
  readonly data?: Record<string, string>;
  /** Behind "denied request: "; '' when nothing is said. */
  readonly expect: string;
  readonly warns?: readonly string[];
  readonly annotates?: Readonly<Record<string, string>>;
}

const RULES = {
  resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
};
const denied = (code: number, why: string): string =>
  `${code} configmaps "x" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'p' denied request: ${why}`;
const BIG = 'lists.range(900).all(x, lists.range(900).all(y, x + y >= 0))';
const MID = 'lists.range(200).all(x, lists.range(200).all(y, x + y >= 0))';
const params = { paramKind: { apiVersion: 'v1', kind: 'ConfigMap' } };

const CASES: readonly Case[] = [
  {
    name: 'what holds',
    policy: { validations: [{ expression: 'object.data.a == "1"' }] },
    data: { a: '1' },
    expect: '',
  },
  {
    name: 'the expression is the message where there is no other',
    policy: { validations: [{ expression: ' object.data.a == "1"' }] },
    data: { a: '2' },
    expect: denied(422, 'failed expression: object.data.a == "1"'),
  },
  {
    name: 'a message that is made, and a reason',
    policy: {
      validations: [
        { expression: 'false', message: 'm', messageExpression: '" made of " + object.data.a', reason: 'Forbidden' },
      ],
    },
    data: { a: '2' },
    expect: denied(403, 'made of 2'),
  },
  {
    name: 'a message that cannot be made',
    policy: { validations: [{ expression: 'false', message: ' m ', messageExpression: 'string(object.data.b)' }] },
    data: { a: '2' },
    expect: denied(422, 'm'),
  },
  {
    name: 'an expression that cannot be evaluated',
    policy: { validations: [{ expression: '1 / int(object.data.a) == 1' }] },
    data: { a: '0' },
    expect: denied(422, "expression '1 / int(object.data.a) == 1' resulted in error: division by zero"),
  },
  {
    name: 'the same, where failures are ignored; others are not',
    policy: {
      failurePolicy: 'Ignore',
      validations: [
        { expression: '1 / int(object.data.a) == 1' },
        { expression: 'object.data.b == "1"', message: 'b' },
      ],
    },
    data: { a: '0', b: '2' },
    expect: denied(422, 'b'),
  },
  {
    name: 'what costs too much',
    policy: { validations: [{ expression: BIG }] },
    expect: denied(422, `expression '${BIG}' resulted in error: operation cancelled: actual cost limit exceeded`),
  },
  {
    name: 'what costs too much together, in variables that take long',
    policy: {
      variables: Array.from({ length: 60 }, (_, i) => ({ name: `v${i}`, expression: MID })),
      validations: Array.from({ length: 60 }, (_, i) => ({ expression: `variables.v${i}` })),
    },
    expect: denied(422, 'validation failed due to running out of cost budget, no further validation rules will be run'),
  },
  {
    name: 'variables name others, and are evaluated when they are named',
    policy: {
      variables: [
        { name: 'a', expression: 'int(object.data.a)' },
        { name: 'b', expression: 'variables.a * 2' },
        { name: 'broken', expression: '1 / 0' },
      ],
      validations: [{ expression: 'variables.b == 5', messageExpression: 'string(variables.b)' }],
    },
    data: { a: '2' },
    expect: denied(422, '4'),
  },
  {
    name: 'a variable that cannot be evaluated',
    policy: {
      variables: [{ name: 'broken', expression: '1 / 0' }],
      validations: [{ expression: 'variables.broken == 1' }],
    },
    expect: denied(
      422,
      `expression 'variables.broken == 1' resulted in error: composited variable "broken" fails to evaluate: division by zero`,
    ),
  },
  {
    name: 'the request, its namespace and its user',
    policy: {
      validations: [
        {
          expression: 'false',
          messageExpression:
            '[request.operation, request.kind.kind, request.resource.resource, request.namespace, request.userInfo.username, namespaceObject.metadata.labels.team, string(request.dryRun), string(oldObject == null)].join(" ")',
        },
      ],
    },
    expect: denied(422, 'CREATE ConfigMap configmaps ns tester a false true'),
  },
  {
    name: 'who may do what',
    policy: {
      validations: [
        { expression: 'authorizer.group("").resource("pods").check("get").allowed()' },
        { expression: 'authorizer.requestResource.check("list").reason() == ""', message: 'reason' },
      ],
    },
    expect: denied(422, 'reason'),
  },
  {
    name: 'conditions that hold',
    policy: {
      matchConditions: [{ name: 'a', expression: 'has(object.data.a)' }],
      validations: [{ expression: 'false', message: 'm' }],
    },
    data: { a: '1' },
    expect: denied(422, 'm'),
  },
  {
    name: 'a condition that does not hold outweighs one that cannot be evaluated',
    policy: {
      matchConditions: [
        { name: 'a', expression: 'object.data.zz == "1"' },
        { name: 'b', expression: 'has(object.data.b)' },
      ],
      validations: [{ expression: 'false', message: 'm' }],
    },
    data: { a: '1' },
    expect: '',
  },
  {
    name: 'a condition that cannot be evaluated',
    policy: {
      matchConditions: [{ name: 'a', expression: 'object.data.zz == "1"' }],
      validations: [{ expression: 'false', message: 'm' }],
    },
    data: { a: '1' },
    expect: denied(422, `expression 'object.data.zz == "1"' resulted in error: no such key: zz`),
  },
  {
    name: 'warnings and the audit event',
    policy: {
      validations: [{ expression: 'false', message: 'm' }],
      auditAnnotations: [
        { key: 'who', valueExpression: 'request.userInfo.username' },
        { key: 'none', valueExpression: 'null' },
      ],
    },
    binding: { validationActions: ['Warn', 'Audit'] },
    expect: '',
    warns: ["Validation failed for ValidatingAdmissionPolicy 'p' with binding 'p': m"],
    annotates: {
      'p/who': 'tester',
      'validation.policy.admission.k8s.io/validation_failure':
        '[{"message":"m","policy":"p","binding":"p","expressionIndex":0,"validationActions":["Warn","Audit"]}]',
    },
  },
  {
    name: 'a binding for others',
    policy: { validations: [{ expression: 'false' }] },
    binding: { matchResources: { objectSelector: { matchLabels: { a: 'b' } } } },
    expect: '',
  },
  {
    name: 'a binding with rules of no kind is for all that the policy is about',
    policy: { validations: [{ expression: 'false', message: 'm' }] },
    binding: { matchResources: { objectSelector: { matchLabels: { a: 'b' } } } },
    metadata: { labels: { a: 'b' } },
    expect: denied(422, 'm'),
  },
  {
    name: 'a parameter by its name',
    policy: {
      ...params,
      validations: [
        {
          expression: 'object.data.n == params.data.n',
          messageExpression: 'params.kind + " " + params.apiVersion + " " + params.data.n',
        },
      ],
    },
    binding: { paramRef: { name: 'one', parameterNotFoundAction: 'Deny' } },
    data: { n: '2' },
    expect: denied(422, 'ConfigMap v1 1'),
  },
  {
    name: 'parameters by their labels: all must agree',
    policy: {
      ...params,
      validations: [{ expression: 'object.data.n == params.data.n', messageExpression: 'string(params.data.n)' }],
    },
    binding: { paramRef: { selector: { matchLabels: { param: 'yes' } }, parameterNotFoundAction: 'Deny' } },
    data: { n: '1' },
    expect: denied(422, '2'),
  },
  {
    name: 'no parameter',
    policy: { ...params, validations: [{ expression: 'true' }] },
    binding: { paramRef: { name: 'none', parameterNotFoundAction: 'Deny' } },
    expect: denied(
      422,
      'failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction',
    ),
  },
  {
    name: 'no parameter, which is allowed',
    policy: { ...params, validations: [{ expression: 'false' }] },
    binding: { paramRef: { name: 'none', parameterNotFoundAction: 'Allow' } },
    expect: '',
  },
  {
    name: 'no reference to parameters: there are none',
    policy: { ...params, validations: [{ expression: 'params != null', message: 'null' }] },
    expect: denied(422, 'null'),
  },
  {
    name: 'parameters of a kind that there is not',
    policy: { paramKind: { apiVersion: 'a.b/v1', kind: 'C' }, validations: [{ expression: 'true' }] },
    expect: `422 configmaps "x" is forbidden: ValidatingAdmissionPolicy 'p' denied request: failed to configure policy: failed to find resource referenced by paramKind: 'a.b/v1, Kind=C'`,
  },
];

t.test('policies judge what is written', async t => {
  const f = await served(t);
  for (const [name, n] of [
    ['one', '1'],
    ['two', '2'],
  ] as const)
    await create(f, 'configmaps', { metadata: { name, namespace: 'ns', labels: { param: 'yes' } }, data: { n } });
  for (const { name, policy = {}, binding = {}, metadata = {}, data = {}, expect, warns = [], annotates } of CASES) {
    f.warnings.length = 0;
    f.annotations.clear();
    await create(f, POLICIES, { metadata: { name: 'p' }, spec: { matchConstraints: RULES, ...policy } });
    await create(f, BINDINGS, {
      metadata: { name: 'p' },
      spec: { policyName: 'p', validationActions: ['Deny'], ...binding },
    });
    t.equal(await verdict(f, metadata, data), expect, name);
    t.same(f.warnings, warns, `${name}: warnings`);
    if (annotates !== undefined) t.same(Object.fromEntries(f.annotations), annotates, `${name}: annotations`);
    for (const resource of [BINDINGS, POLICIES])
      await f.registries.objects.delete(f.context(), resource, { namespace: '', name: 'p' }, { dryRun: false });
  }
});

t.test('policies judge neither policies nor reviews', async t => {
  const f = await served(t);
  const rules = { apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*'] };
  const policy = {
    matchConstraints: { resourceRules: [rules] },
    validations: [{ expression: 'false', message: 'no' }],
  };
  await create(f, POLICIES, { metadata: { name: 'all' }, spec: policy });
  await create(f, BINDINGS, { metadata: { name: 'all' }, spec: { policyName: 'all', validationActions: ['Deny'] } });
  t.match(await verdict(f, {}, {}), /denied request: no$/);
  await t.resolves(create(f, POLICIES, { metadata: { name: 'other' }, spec: policy }));
});

t.test('what policies say is counted under upstream names', async t => {
  const f = await served(t);
  const rows: { name: string; policy: object; actions?: string[]; expect: [action: string, type: string][] }[] = [
    { name: 'holds', policy: { validations: [{ expression: 'true' }] }, expect: [] },
    { name: 'no', policy: { validations: [{ expression: 'false' }] }, expect: [['deny', 'invalid_error']] },
    {
      name: 'mild',
      policy: { validations: [{ expression: 'false' }] },
      actions: ['Audit', 'Warn'],
      expect: [
        ['audit', 'invalid_error'],
        ['warn', 'invalid_error'],
      ],
    },
    {
      name: 'ignored',
      policy: { failurePolicy: 'Ignore', validations: [{ expression: 'object.data.none == "x"' }] },
      expect: [['allow', 'invalid_error']],
    },
    {
      name: 'dear',
      policy: { validations: Array.from({ length: 60 }, () => ({ expression: MID })) },
      expect: [['deny', 'out_of_budget']],
    },
    {
      name: 'note',
      policy: { auditAnnotations: [{ key: 'k', valueExpression: 'string(object.data.none)' }] },
      expect: [['deny', 'invalid_error']],
    },
  ];
  for (const { name, policy, actions = ['Deny'] } of rows) {
    await create(f, POLICIES, { metadata: { name }, spec: { matchConstraints: RULES, ...policy } });
    await create(f, BINDINGS, { metadata: { name }, spec: { policyName: name, validationActions: actions } });
  }
  await verdict(f, {}, {});
  const lines = f.metrics.families.flatMap(family => family.render().split('\n'));
  for (const { name, expect } of rows)
    t.strictSame(
      lines.filter(line => line.includes('check_total{') && line.includes(`policy="${name}"`)).sort(),
      expect.map(
        ([action, type]) =>
          `apiserver_validating_admission_policy_check_total{enforcement_action="${action}",error_type="${type}",policy="${name}",policy_binding="${name}"} 1`,
      ),
      name,
    );
  t.equal(lines.filter(line => line.includes('check_duration_seconds_count{')).length, 6);
});
