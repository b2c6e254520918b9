import t from 'tap';
import type { KubeObject, ObjectKey } from '../../../src/machinery/types.js';
import type { Objects, RequestContext, UserInfo } from '../../../src/api/strategy.js';
import { privilegedGroup, unionAuthorizer } from '../../../src/server/auth/authorizer.js';
import type { Attributes } from '../../../src/server/auth/authorizer.js';
import { NODE_AGENTS } from '../../../src/server/auth/node-agents.js';
import { bootstrapPolicy } from '../../../src/server/auth/policy/bootstrap-policy.js';
import { createRbacAuthorizer } from '../../../src/server/auth/rbac/rbac-authorizer.js';
import { createRuleResolver } from '../../../src/server/auth/rbac/rule-resolver.js';
import type { PolicyRule } from '../../../src/server/auth/rbac/rules.js';
import { reconcilePolicy } from '../../../src/server/bootstrap/reconcile-policy.js';
import { objectsOf, user, ask, rbac, role, bind, person } from '../../support/auth.js';

t.jobs = 1;

t.test('the default policy', t => {
  const ids = bootstrapPolicy.map(({ resource, object }) =>
    [resource, object.metadata.namespace ?? '', object.metadata.name].join(' '),
  );
  t.equal(new Set(ids).size, ids.length, 'every name once');
  for (const { object } of bootstrapPolicy) {
    const rules = (object['rules'] as PolicyRule[] | null | undefined) ?? [];
    for (const rule of rules) {
      const resources = (rule.resources ?? []).length;
      const ok =
        rule.verbs.length > 0 &&
        resources > 0 === (rule.apiGroups ?? []).length > 0 &&
        resources > 0 !== (rule.nonResourceURLs ?? []).length > 0;
      if (!ok) t.fail(`${object.metadata.name ?? ''}: ${JSON.stringify(rule)}`);
    }
  }
  const objects = objectsOf(bootstrapPolicy);
  // What the aggregation controller does.
  const gather = (label: string): PolicyRule[] =>
    bootstrapPolicy.flatMap(({ object }) =>
      object.metadata.labels?.[`${rbac}/aggregate-to-${label}`] === 'true'
        ? ((objects.get(`clusterroles.${rbac}`, { namespace: '', name: object.metadata.name ?? '' })?.['rules'] as
            | PolicyRule[]
            | null) ?? [])
        : [],
    );
  for (const name of ['view', 'edit', 'admin']) objects.add(`clusterroles.${rbac}`, role(name, gather(name)).object);
  for (const name of ['view', 'edit', 'admin'])
    objects.add(`rolebindings.${rbac}`, bind(name, { kind: 'ClusterRole', name }, [person(name)], 'ns').object);
  const authorizer = unionAuthorizer([privilegedGroup, createRbacAuthorizer(createRuleResolver(objects))]);
  const anonymous: UserInfo = { name: 'system:anonymous', groups: ['system:unauthenticated'] };
  const account = user('system:serviceaccount:ns:a', 'system:serviceaccounts');
  const controllers = user('system:kube-controller-manager');
  const node = user('system:node:n1', 'system:nodes', NODE_AGENTS);
  const cases: [boolean, Attributes][] = [
    [true, ask(anonymous, 'get', '/version')],
    [true, ask(anonymous, 'get', '/readyz')],
    [false, ask(anonymous, 'get', '/api')],
    [false, ask(anonymous, 'get', '/metrics')],
    [true, ask(account, 'get', '/apis/apps/v1')],
    [true, ask(account, 'get', '/openapi/v3')],
    [true, ask(account, 'get', '/openid/v1/jwks')],
    [false, ask(user('x'), 'get', '/openid/v1/jwks')],
    [true, ask(account, 'create', 'authorization.k8s.io:selfsubjectaccessreviews')],
    [true, ask(account, 'create', 'authentication.k8s.io:selfsubjectreviews')],
    [false, ask(account, 'list', 'pods', 'ns')],
    [true, ask(user('view'), 'list', 'pods', 'ns')],
    [false, ask(user('view'), 'get', 'secrets', 'ns', 's')],
    [false, ask(user('view'), 'create', 'pods', 'ns')],
    [true, ask(user('edit'), 'create', 'apps:deployments', 'ns')],
    [true, ask(user('edit'), 'get', 'secrets', 'ns', 's')],
    [false, ask(user('edit'), 'create', `${rbac}:roles`, 'ns')],
    [true, ask(user('admin'), 'create', `${rbac}:roles`, 'ns')],
    [true, ask(user('admin'), 'create', 'pods/exec', 'ns', 'p')],
    [false, ask(user('admin'), 'update', 'resourcequotas', 'ns', 'q')],
    [false, ask(user('admin'), 'list', 'pods')],
    [true, ask(controllers, 'create', 'pods', 'ns')],
    [true, ask(controllers, 'create', 'pods/binding', 'ns', 'p')],
    [true, ask(controllers, 'update', 'apps:deployments/status', 'ns', 'd')],
    [true, ask(controllers, 'update', 'coordination.k8s.io:leases', 'kube-system', 'kube-controller-manager')],
    [true, ask(controllers, 'watch', 'discovery.k8s.io:endpointslices')],
    [false, ask(controllers, 'create', 'apps:deployments', 'ns')],
    [true, ask(user('system:kube-scheduler'), 'create', 'pods/binding', 'ns', 'p')],
    [true, ask(user('system:kube-proxy'), 'watch', 'discovery.k8s.io:endpointslices')],
    [true, ask(node, 'watch', 'discovery.k8s.io:endpointslices')],
    [false, ask(user('system:node:n1', 'system:nodes'), 'watch', 'discovery.k8s.io:endpointslices')],
    [true, ask(user('system:coredns'), 'watch', 'services')],
    [false, ask(user('system:coredns'), 'list', 'secrets')],
    [
      true,
      ask(user('system:serviceaccount:kube-system:deployment-controller'), 'update', 'apps:deployments', 'ns', 'd'),
    ],
  ];
  for (const [expected, a] of cases) {
    t.equal(
      authorizer.authorize(a).decision === 'allow',
      expected,
      `${a.user.name} ${a.verb} ${a.group} ${a.resource}/${a.subresource} ${a.path}`,
    );
  }
  t.end();
});

t.test('default policy is given back what was taken from it', async t => {
  const stored = new Map<string, KubeObject>();
  const calls: string[] = [];
  const objects = {
    get: (_resource: string, key: ObjectKey) => stored.get(key.name),
    update: async (_ctx: unknown, _resource: string, key: ObjectKey, change: (object: KubeObject) => void) => {
      calls.push(`update ${key.name}`);
      const object = structuredClone(stored.get(key.name) as KubeObject);
      change(object);
      stored.set(key.name, object);
    },
    delete: async (_ctx: unknown, _resource: string, key: ObjectKey) => void calls.push(`delete ${key.name}`),
    create: async (_ctx: unknown, _resource: string, object: KubeObject) =>
      void calls.push(`create ${object.metadata.name}`),
  } as unknown as Objects;
  const read = { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] };
  const wanted = role('r', [read]);
  const wantedBinding = bind('b', { kind: 'ClusterRole', name: 'r' }, [person('a'), person('b')]);
  const run = async (which: typeof wanted, object: KubeObject): Promise<KubeObject> => {
    stored.set(object.metadata.name ?? '', object);
    calls.length = 0;
    await reconcilePolicy(objects, {} as RequestContext, which);
    return stored.get(object.metadata.name ?? '') as KubeObject;
  };
  const own = { apiGroups: ['x'], resources: ['y'], verbs: ['z'] };
  const less = { ...wanted.object, rules: [own, { ...read, verbs: ['get'] }] };
  t.same((await run(wanted, less))['rules'], [own, { ...read, verbs: ['get'] }, { ...read, verbs: ['list'] }]);
  await run(wanted, { ...wanted.object, rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }] });
  t.same(calls, [], 'more is left alone');
  const off = { 'rbac.authorization.kubernetes.io/autoupdate': 'false' };
  await run(wanted, { ...less, metadata: { ...less.metadata, annotations: off } });
  t.same(calls, [], 'whoever says so is left alone');
  const binding = await run(wantedBinding, { ...wantedBinding.object, subjects: [person('b'), person('c')] });
  t.same(
    (binding['subjects'] as { name: string }[]).map(({ name }) => name),
    ['b', 'c', 'a'],
  );
  await run(wantedBinding, { ...wantedBinding.object, roleRef: { kind: 'ClusterRole', name: 'other' } });
  t.same(calls, ['delete b', 'create b']);
});
