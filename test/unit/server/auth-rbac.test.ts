import t from 'tap';
import { StatusError } from '../../../src/machinery/status.js';
import type { KubeObject } from '../../../src/machinery/types.js';
import type { ResourceInfo } from '../../../src/api/resource-info.js';
import type { RequestContext, UserInfo } from '../../../src/api/strategy.js';
import type { AdmissionRequest } from '../../../src/server/admission/types.js';
import { alwaysAllow, alwaysDeny, privilegedGroup, unionAuthorizer } from '../../../src/server/auth/authorizer.js';
import type { Attributes } from '../../../src/server/auth/authorizer.js';
import { notAllowedError } from '../../../src/server/auth/forbidden.js';
import type { Lookup } from '../../../src/server/auth/lookup.js';
import { rbacEscalationCheck } from '../../../src/server/auth/rbac/escalation.js';
import { createRbacAuthorizer } from '../../../src/server/auth/rbac/rbac-authorizer.js';
import { createRuleResolver } from '../../../src/server/auth/rbac/rule-resolver.js';
import { ruleAllows, uncovered, type PolicyRule } from '../../../src/server/auth/rbac/rules.js';
import { objectsOf, user, ask, rbac, role, bind, person } from '../../support/auth.js';

t.jobs = 1;

const RULES: PolicyRule[] = [
  { verbs: ['get', 'list'], apiGroups: [''], resources: ['pods', 'pods/log', '*/scale'] },
  { verbs: ['*'], apiGroups: ['apps'], resources: ['deployments'], resourceNames: ['a'] },
  { verbs: ['get'], nonResourceURLs: ['/x', '/y/*'] },
];

t.test('policy rules', t => {
  const who = user('u');
  const matches: [boolean, Attributes][] = [
    [true, ask(who, 'get', 'pods', 'ns', 'p')],
    [true, ask(who, 'get', 'pods/log', 'ns', 'p')],
    [false, ask(who, 'get', 'pods/exec', 'ns', 'p')],
    [false, ask(who, 'watch', 'pods', 'ns')],
    [false, ask(who, 'get', 'apps:pods', 'ns')],
    [true, ask(who, 'get', 'replicationcontrollers/scale', 'ns')],
    [false, ask(who, 'get', 'apps:deployments/scale', 'ns', 'a')],
    [true, ask(who, 'delete', 'apps:deployments', 'ns', 'a')],
    [false, ask(who, 'list', 'apps:deployments', 'ns')],
    [false, ask(who, 'delete', 'apps:deployments', 'ns', 'b')],
    [true, ask(who, 'get', '/x')],
    [true, ask(who, 'get', '/y/z')],
    [false, ask(who, 'get', '/y')],
    [false, ask(who, 'post', '/x')],
    [false, ask(who, '*', 'pods', 'ns')],
  ];
  for (const [expected, attributes] of matches) {
    const text = `${attributes.verb} ${attributes.group} ${attributes.resource}/${attributes.subresource} ${attributes.path}`;
    t.equal(
      RULES.some(rule => ruleAllows(rule, attributes)),
      expected,
      text,
    );
  }
  const covers: [number, PolicyRule][] = [
    [0, { verbs: ['get'], apiGroups: [''], resources: ['pods', 'pods/log', 'x/scale'] }],
    [3, { verbs: ['get', 'watch'], apiGroups: ['', 'apps'], resources: ['pods'] }],
    [0, { verbs: ['*'], apiGroups: ['apps'], resources: ['deployments'], resourceNames: ['a'] }],
    [1, { verbs: ['get'], apiGroups: ['apps'], resources: ['deployments'] }],
    [1, { verbs: ['get'], apiGroups: ['apps'], resources: ['deployments'], resourceNames: ['a', 'b'] }],
    [0, { verbs: ['get'], apiGroups: [''], resources: ['pods'], resourceNames: ['p'] }],
    [1, { verbs: ['*'], apiGroups: [''], resources: ['pods'] }],
    [0, { verbs: ['get'], nonResourceURLs: ['/x', '/y/*', '/y/z/*'] }],
    [1, { verbs: ['get'], nonResourceURLs: ['*'] }],
  ];
  for (const [missing, rule] of covers) {
    const found = uncovered(RULES, [rule]);
    t.equal(found === 'too many' ? found : found.length, missing, `${JSON.stringify(rule)} lacks ${missing}`);
  }
  t.end();
});

const group = (name: string) => ({ kind: 'Group', name });

t.test('RBAC', t => {
  const objects = objectsOf([
    role('reader', [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }], 'ns'),
    role('nodes', [{ verbs: ['get'], apiGroups: [''], resources: ['nodes'] }]),
    role('web', [{ verbs: ['get'], nonResourceURLs: ['/metrics'] }]),
    bind('r', { kind: 'Role', name: 'reader' }, [person('jane'), group('dev')], 'ns'),
    bind('sa', { kind: 'Role', name: 'reader' }, [{ kind: 'ServiceAccount', name: 'robot' }], 'ns'),
    bind('n', { kind: 'ClusterRole', name: 'nodes' }, [group('dev')]),
    bind('local', { kind: 'ClusterRole', name: 'nodes' }, [person('jane')], 'ns'),
    bind('w', { kind: 'ClusterRole', name: 'web' }, [{ kind: 'ServiceAccount', name: 'prom', namespace: 'mon' }]),
    bind('broken', { kind: 'ClusterRole', name: 'gone' }, [person('lost')]),
    bind('broken2', { kind: 'Role', name: 'gone' }, [person('lost')], 'ns'),
  ]);
  const resolver = createRuleResolver(objects);
  const authorizer = unionAuthorizer([privilegedGroup, createRbacAuthorizer(resolver)]);
  const robot = user('system:serviceaccount:ns:robot');
  const prom = user('system:serviceaccount:mon:prom');
  const cases: [Attributes, string | null][] = [
    [ask(user('jane'), 'get', 'pods', 'ns', 'p'), 'RoleBinding "r/ns" of Role "reader" to User "jane"'],
    [ask(user('x', 'dev'), 'get', 'pods', 'ns', 'p'), 'RoleBinding "r/ns" of Role "reader" to Group "dev"'],
    [ask(robot, 'get', 'pods', 'ns'), 'RoleBinding "sa/ns" of Role "reader" to ServiceAccount "robot/ns"'],
    [ask(user('x', 'dev'), 'get', 'nodes', '', 'n'), 'ClusterRoleBinding "n" of ClusterRole "nodes" to Group "dev"'],
    [ask(prom, 'get', '/metrics'), 'ClusterRoleBinding "w" of ClusterRole "web" to ServiceAccount "prom/mon"'],
    [ask(user('jane'), 'get', 'pods', 'other', 'p'), null],
    [ask(user('jane'), 'get', 'pods'), null],
    [ask(user('jane'), 'get', 'nodes', '', 'n'), null],
    [ask(user('jane'), 'delete', 'pods', 'ns', 'p'), null],
    [ask(user('robot'), 'get', 'pods', 'ns'), null],
  ];
  for (const [attributes, by] of cases) {
    const expected =
      by === null ? { decision: 'noOpinion', reason: '' } : { decision: 'allow', reason: `RBAC: allowed by ${by}` };
    t.same(authorizer.authorize(attributes), expected, by ?? `${attributes.user.name} ${attributes.resource}`);
  }
  t.same(authorizer.authorize(ask(user('lost'), 'get', 'pods', 'ns')), {
    decision: 'noOpinion',
    reason:
      'RBAC: [clusterrole.rbac.authorization.k8s.io "gone" not found, role.rbac.authorization.k8s.io "gone" not found]',
  });
  t.same(authorizer.authorize(ask(user('root', 'system:masters'), 'fly', 'x:y')), { decision: 'allow', reason: '' });
  t.same(authorizer.rulesFor(user('jane'), 'ns'), {
    resourceRules: [
      { verbs: ['get'], apiGroups: [''], resources: ['pods'] },
      { verbs: ['get'], apiGroups: [''], resources: ['nodes'] },
    ],
    nonResourceRules: [],
    incomplete: false,
    errors: [],
  });
  t.match(authorizer.rulesFor(user('lost'), 'ns'), { incomplete: false, errors: [/not found/] });
  objects.remove(`rolebindings.${rbac}`, { namespace: 'ns', name: 'r' });
  t.equal(authorizer.authorize(ask(user('jane'), 'get', 'pods', 'ns', 'p')).decision, 'noOpinion', 'at once');

  let generation = 1;
  let lists = 0;
  const counted: Lookup = {
    get: (resource, key) => objects.get(resource, key),
    list: (resource, namespace) => {
      lists++;
      return objects.list(resource, namespace);
    },
    generation: () => generation,
  };
  const cached = createRbacAuthorizer(createRuleResolver(counted));
  for (let i = 0; i < 5; i++) cached.authorize(ask(user('jane'), 'get', 'pods', 'ns', 'p'));
  t.equal(lists, 2, 'bindings are looked through once');
  objects.add(`rolebindings.${rbac}`, bind('r', { kind: 'Role', name: 'reader' }, [person('jane')], 'ns').object);
  generation++;
  t.equal(
    cached.authorize(ask(user('jane'), 'get', 'pods', 'ns', 'p')).decision,
    'allow',
    'and again when they change',
  );

  t.equal(alwaysAllow.authorize(ask(user('x'), 'get', 'pods')).decision, 'allow');
  t.same(alwaysDeny.authorize(ask(user('x'), 'get', 'pods')), {
    decision: 'noOpinion',
    reason: 'Everything is forbidden.',
  });
  t.end();
});

t.test('texts of 403', t => {
  const error = (a: Attributes, reason = ''): unknown => notAllowedError(a, reason).status;
  t.match(error(ask(user('jane'), 'get', 'pods/log', 'ns', 'p')), {
    code: 403,
    reason: 'Forbidden',
    message: 'pods "p" is forbidden: User "jane" cannot get resource "pods/log" in API group "" in the namespace "ns"',
    details: { name: 'p', kind: 'pods' },
  });
  t.match(error(ask(user('a<b'), 'list', 'apps:deployments'), 'why'), {
    message:
      'deployments.apps is forbidden: User "a&lt;b" cannot list resource "deployments" in API group "apps" at the cluster scope: why',
    details: { group: 'apps', kind: 'deployments' },
  });
  t.match(error(ask(user('jane'), 'get', '/metrics')), {
    message: 'forbidden: User "jane" cannot get path "/metrics"',
    details: {},
  });
  t.end();
});

t.test('nobody grants what they do not hold', t => {
  const objects = objectsOf([
    role(
      'writer',
      [
        { verbs: ['create', 'update'], apiGroups: [rbac], resources: ['roles', 'rolebindings'] },
        { verbs: ['get'], apiGroups: [''], resources: ['configmaps'] },
      ],
      'ns',
    ),
    bind('writer', { kind: 'Role', name: 'writer' }, [person('weak'), person('binder'), person('escalator')], 'ns'),
    role('strong', [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }]),
    role('small', [{ verbs: ['get'], apiGroups: [''], resources: ['configmaps'] }]),
    role(
      'more',
      [{ verbs: ['bind'], apiGroups: [rbac], resources: ['clusterroles'], resourceNames: ['strong'] }],
      'ns',
    ),
    role('escalate', [{ verbs: ['escalate'], apiGroups: [rbac], resources: ['roles'] }], 'ns'),
    bind('binder', { kind: 'Role', name: 'more' }, [person('binder')], 'ns'),
    bind('escalator', { kind: 'Role', name: 'escalate' }, [person('escalator')], 'ns'),
  ]);
  const resolver = createRuleResolver(objects);
  const authorizer = unionAuthorizer([privilegedGroup, createRbacAuthorizer(resolver)]);
  const check = rbacEscalationCheck(authorizer, resolver);
  const run = (who: UserInfo, plural: string, object: KubeObject, old?: KubeObject): void => {
    const request: AdmissionRequest = {
      operation: old === undefined ? 'CREATE' : 'UPDATE',
      resource: { group: rbac, plural } as ResourceInfo,
      subresource: '',
      key: { namespace: plural.startsWith('cluster') ? '' : 'ns', name: object.metadata.name ?? '' },
      object,
      ...(old === undefined ? {} : { old }),
    };
    check.admit?.({ user: who } as RequestContext, request);
  };
  const secrets: KubeObject = {
    metadata: { name: 'esc' },
    rules: [{ apiGroups: [''], resources: ['secrets', 'pods'], verbs: ['get', 'list'] }],
  };
  const to = (kind: string, name: string): KubeObject => ({
    metadata: { name: 'b' },
    roleRef: { kind, name },
    subjects: [],
  });
  const groups = '(groups=["system:authenticated"])';
  const cases: {
    name: string;
    who?: UserInfo;
    plural?: string;
    object: KubeObject;
    old?: KubeObject;
    error?: string;
  }[] = [
    {
      name: 'role',
      object: secrets,
      error:
        `roles.${rbac} "esc" is forbidden: user "weak" ${groups} is attempting to grant RBAC permissions not currently held:\n` +
        '{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}\n{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list"]}',
    },
    { name: 'role within its rights', object: { metadata: { name: 'ok' }, rules: RULES.slice(0, 0) } },
    { name: 'held', object: role('x', [{ verbs: ['get'], apiGroups: [''], resources: ['configmaps'] }]).object },
    { name: 'escalate', who: user('escalator'), object: secrets },
    { name: 'system:masters', who: user('root', 'system:masters'), object: secrets },
    {
      name: 'owner references of a strong role',
      object: { ...secrets, metadata: { name: 'esc', finalizers: [] } },
      old: { ...secrets, metadata: { name: 'esc', finalizers: ['x'] } },
    },
    {
      name: 'label of a strong role',
      object: { ...secrets, metadata: { name: 'esc', labels: { a: 'b' } } },
      old: secrets,
      error: `roles.${rbac} "esc" is forbidden: user "weak"`,
    },
    {
      name: 'aggregation',
      plural: 'clusterroles',
      object: { metadata: { name: 'agg' }, aggregationRule: { clusterRoleSelectors: [{}] } },
      error: `clusterroles.${rbac} "agg" is forbidden: must have cluster-admin privileges to use the aggregationRule`,
    },
    {
      name: 'binding to a strong role',
      plural: 'rolebindings',
      object: to('ClusterRole', 'strong'),
      error:
        `rolebindings.${rbac} "b" is forbidden: user "weak" ${groups} is attempting to grant RBAC permissions not currently held:\n` +
        '{APIGroups:["*"], Resources:["*"], Verbs:["*"]}',
    },
    { name: 'binding to a small role', plural: 'rolebindings', object: to('ClusterRole', 'small') },
    { name: 'bind', who: user('binder'), plural: 'rolebindings', object: to('ClusterRole', 'strong') },
    {
      name: 'binding to nothing',
      plural: 'rolebindings',
      object: to('Role', 'none'),
      error: `roles.${rbac} "none" not found`,
    },
    { name: 'binding that validation refuses', plural: 'rolebindings', object: to('', '') },
  ];
  for (const c of cases) {
    const act = (): void => run(c.who ?? user('weak'), c.plural ?? 'roles', c.object, c.old);
    if (c.error === undefined) t.doesNotThrow(act, c.name);
    else {
      let message = '';
      try {
        act();
      } catch (error) {
        message = error instanceof StatusError ? error.message : `not a StatusError: ${String(error)}`;
      }
      t.equal(message.slice(0, c.error.length), c.error, c.name);
    }
  }
  t.end();
});
