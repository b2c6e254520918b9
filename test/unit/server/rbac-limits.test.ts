import t from 'tap';
import { uncovered, ruleAllows, type PolicyRule } from '../../../src/server/auth/rbac/rules.js';
import { createRuleResolver, ROLE_BINDINGS, ROLES } from '../../../src/server/auth/rbac/rule-resolver.js';
import type { KubeObject } from '../../../src/machinery/types.js';

const many = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${prefix}${i}`);

t.test('a rule is a product of its lists: what it stands for is looked at up to a bound', async t => {
  const everything: PolicyRule = { verbs: ['*'], apiGroups: ['*'], resources: ['*'] };
  const product: PolicyRule = { verbs: many('v', 3000), apiGroups: many('g', 3000), resources: many('r', 3000) };
  const rows: { name: string; held: PolicyRule[]; wanted: PolicyRule[]; expect: number | 'too many' }[] = [
    { name: 'covered as a whole', held: [everything], wanted: [product], expect: 0 },
    { name: 'billions that nobody holds', held: [], wanted: [product], expect: 'too many' },
    {
      name: 'many held against many wanted',
      held: Array.from({ length: 1000 }, (_, i) => ({ verbs: [`x${i}`], apiGroups: [''], resources: ['pods'] })),
      wanted: [{ verbs: many('v', 1000), apiGroups: [''], resources: ['pods'] }],
      expect: 'too many',
    },
    {
      name: 'in parts by several rules',
      held: [
        { verbs: ['get'], apiGroups: [''], resources: ['pods', '*/status'] },
        { verbs: ['list'], apiGroups: [''], resources: ['pods'], resourceNames: ['a'] },
        { verbs: ['get'], nonResourceURLs: ['/healthz*'] },
      ],
      wanted: [
        { verbs: ['get', 'list'], apiGroups: [''], resources: ['pods', 'nodes/status'] },
        { verbs: ['get'], nonResourceURLs: ['/healthz/etcd', '/version'] },
      ],
      expect: 3,
    },
  ];
  for (const { name, held, wanted, expect } of rows) {
    const missing = uncovered(held, wanted);
    t.equal(missing === 'too many' ? missing : missing.length, expect, name);
  }
});

t.test('a pattern of asterisks is a prefix', async t => {
  const rule: PolicyRule = { verbs: ['get'], nonResourceURLs: [`/a${'*'.repeat(60_000)}b`, `/a${'*'.repeat(60_000)}`] };
  const attributes = {
    user: { name: 'u', groups: [] },
    verb: 'get',
    isResource: false,
    group: '',
    version: '',
    resource: '',
    subresource: '',
    namespace: '',
    name: '',
    path: '/abc',
  };
  t.ok(ruleAllows(rule, attributes));
  t.notOk(ruleAllows(rule, { ...attributes, path: '/b' }));
});

t.test('a binding that names a user thousands of times is one grant', async t => {
  const subjects = [
    { kind: 'Group', name: 'g' },
    ...Array.from({ length: 20_000 }, () => ({ kind: 'User', name: 'u' })),
  ];
  const binding = {
    metadata: { name: 'b', namespace: 'n' },
    subjects,
    roleRef: { kind: 'Role', name: 'r' },
  } as unknown as KubeObject;
  const role = { metadata: { name: 'r', namespace: 'n' }, rules: [{ verbs: ['get'] }] } as unknown as KubeObject;
  const resolver = createRuleResolver({
    get: resource => (resource === ROLES ? role : undefined),
    list: resource => (resource === ROLE_BINDINGS ? [binding] : []),
    generation: () => 1,
  });
  const grants = [...resolver.grants({ name: 'u', groups: ['g'] }, 'n')];
  t.equal(grants.length, 1);
  t.match(grants[0]?.describe(), /to Group "g"/, 'by the subject that it names first');
});
