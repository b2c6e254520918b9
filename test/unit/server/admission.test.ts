import t from 'tap';
import { StatusError } from '../../../src/machinery/status.js';
import { realClock } from '../../../src/machinery/clock.js';
import { createTurns } from '../../../src/machinery/turns.js';
import type { KubeObject, ObjectKey } from '../../../src/machinery/types.js';
import { createCatalog } from '../../../src/api/create-catalog.js';
import type { ResourceInfo } from '../../../src/api/resource-info.js';
import type { RequestContext, UserInfo } from '../../../src/api/strategy.js';
import type { AdmissionPlugin, AdmissionRequest } from '../../../src/server/admission/types.js';
import { createAdmission } from '../../../src/server/admission/index.js';
import { pluginListProblem, SERVED_PLUGINS } from '../../../src/server/admission/names.js';
import { createNodeRestriction } from '../../../src/server/admission/node-restriction.js';
import { describeViolations, violationsOf } from '../../../src/server/admission/pod-security/evaluate.js';
import { podSecurity } from '../../../src/server/admission/pod-security/plugin.js';
import { policyOf, type Level } from '../../../src/server/admission/pod-security/policy.js';
import type { SecuredContainer, SecuredSpec } from '../../../src/server/admission/pod-security/subject.js';
import type { PoliciesOptions } from '../../../src/server/admission/policies/validating.js';
import { createPolicyMetrics } from '../../../src/server/admission/policies/metrics.js';
import { createHookMetrics } from '../../../src/server/admission/webhooks/metrics.js';
import type { WebhooksOptions } from '../../../src/server/admission/webhooks/options.js';
import { createVersions } from '../../../src/server/admission/webhooks/versions.js';
import { alwaysDeny } from '../../../src/server/auth/authorizer.js';

const NODE: UserInfo = { name: 'system:node:n1', groups: ['system:nodes'] };

/** What a plugin says of a request: '' when it lets it pass; warnings come in `warned`. */
function verdict(
  plugin: AdmissionPlugin,
  user: UserInfo,
  stored: Readonly<Record<string, readonly KubeObject[]>>,
  request: Partial<Omit<AdmissionRequest, 'resource'>> & { readonly what: string },
): { refused: string; warned: string[] } {
  const warned: string[] = [];
  const matches = (object: KubeObject, { namespace, name }: ObjectKey): boolean =>
    object.metadata.name === name && (object.metadata.namespace ?? '') === namespace;
  const ctx = {
    user,
    warn: (text: string) => void warned.push(text),
    objects: {
      get: (resource: string, key: ObjectKey) => stored[resource]?.find(object => matches(object, key)),
      list: (resource: string) => stored[resource] ?? [],
    },
  } as unknown as RequestContext;
  const { what, ...rest } = request;
  const [plural = '', ...group] = what.split('.');
  const full: AdmissionRequest = {
    operation: 'CREATE',
    subresource: '',
    key: { namespace: 'ns', name: '' },
    ...rest,
    resource: { group: group.join('.'), plural, kind: plural } as ResourceInfo,
  };
  try {
    void plugin.admit?.(ctx, full);
    void plugin.validate?.(ctx, full);
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    return { refused: error.message, warned };
  }
  return { refused: '', warned };
}

t.test('NodeRestriction', t => {
  const plugin = createNodeRestriction(alwaysDeny);
  const pod = (name: string, nodeName: string, uid = name): KubeObject => ({
    metadata: { name, namespace: 'ns', uid },
    spec: {
      nodeName,
      containers: [],
      volumes: [{ name: 't', projected: { sources: [{ serviceAccountToken: { audience: 'vault' } }] } }],
    },
  });
  const stored = {
    pods: [pod('mine', 'n1'), pod('theirs', 'n2')],
    nodes: [{ metadata: { name: 'n1', uid: 'u1' } }],
  };
  const owner = { apiVersion: 'v1', kind: 'Node', name: 'n1', uid: 'u1', controller: true };
  const mirror = (spec: object = {}, metadata: object = {}): KubeObject => ({
    metadata: { name: 'm', annotations: { 'kubernetes.io/config.mirror': 'x' }, ownerReferences: [owner], ...metadata },
    spec: { nodeName: 'n1', containers: [], ...spec },
  });
  const node = (labels: Record<string, string> = {}, more: object = {}, name = 'n1'): KubeObject => ({
    metadata: { name, labels },
    ...more,
  });
  const bound = (name: string, uid: string, audiences?: string[]): KubeObject => ({
    metadata: {},
    spec: { boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid }, ...(audiences && { audiences }) },
  });
  const update = { operation: 'UPDATE' } as const;
  const remove = { operation: 'DELETE' } as const;
  const pods = 'pods "m" is forbidden: ';
  const at = (name: string): { key: ObjectKey } => ({ key: { namespace: 'ns', name } });
  const lease = { what: 'leases.coordination.k8s.io', object: node() };
  const leaseRefused = 'leases.coordination.k8s.io "n1" is forbidden: ';
  const cases: [string, Parameters<typeof verdict>[3], string][] = [
    ['mirror Pod', { what: 'pods', object: mirror() }, ''],
    [
      'Pod of its own',
      { what: 'pods', object: mirror({}, { annotations: {} }) },
      `${pods}pod does not have "kubernetes.io/config.mirror" annotation, node "n1" can only create mirror pods`,
    ],
    [
      'mirror Pod of another node',
      { what: 'pods', object: mirror({ nodeName: 'n2' }) },
      `${pods}node "n1" can only create pods with spec.nodeName set to itself`,
    ],
    [
      'mirror Pod of an earlier Node',
      { what: 'pods', object: mirror({}, { ownerReferences: [{ ...owner, uid: 'u0' }] }) },
      `${pods}node n1 UID mismatch: expected u0 got u1`,
    ],
    [
      'mirror Pod that reads',
      { what: 'pods', object: mirror({ volumes: [{ name: 'v', persistentVolumeClaim: {} }] }) },
      `${pods}node "n1" can not create pods that reference persistentvolumeclaims`,
    ],
    ['deletes its Pod', { what: 'pods', ...remove, ...at('mine') }, ''],
    [
      "deletes another's Pod",
      { what: 'pods', ...remove, ...at('theirs') },
      'pods "theirs" is forbidden: node "n1" can only delete pods with spec.nodeName set to itself',
    ],
    [
      'binds',
      { what: 'pods', subresource: 'binding', ...at('mine') },
      `pods "mine" is forbidden: unexpected pod subresource "binding", only 'status' and 'eviction' are allowed`,
    ],
    ['evicts its Pod', { what: 'pods', subresource: 'eviction', ...at('mine') }, ''],
    [
      "writes another's status",
      { what: 'pods', subresource: 'status', ...update, ...at('theirs'), old: pod('theirs', 'n2'), object: mirror() },
      'pods "theirs" is forbidden: node "n1" can only update pod status for pods with spec.nodeName set to itself',
    ],
    [
      'its Node',
      { what: 'nodes', object: node({ 'kubernetes.io/hostname': 'n1', mine: 'x', 'x.node.kubernetes.io/y': '1' }) },
      '',
    ],
    [
      'another Node',
      { what: 'nodes', object: node({}, {}, 'n2') },
      'nodes "n2" is forbidden: node "n1" is not allowed to modify node "n2"',
    ],
    [
      'labels of Kubernetes',
      { what: 'nodes', object: node({ 'node-restriction.kubernetes.io/a': '', 'a.k8s.io/b': '' }) },
      'nodes "n1" is forbidden: node "n1" is not allowed to set the following labels: a.k8s.io/b, node-restriction.kubernetes.io/a',
    ],
    [
      'taints',
      { what: 'nodes', ...update, old: node({}, { spec: { taints: [{ key: 'a' }] } }), object: node(), ...at('n1') },
      'nodes "n1" is forbidden: node "n1" is not allowed to modify taints',
    ],
    [
      'token for its Pod',
      { what: 'serviceaccounts', subresource: 'token', object: bound('mine', 'mine', ['vault']) },
      '',
    ],
    [
      'token for an audience that the Pod does not ask for',
      { what: 'serviceaccounts', subresource: 'token', object: bound('mine', 'mine', ['x']), ...at('sa') },
      'serviceaccounts "sa" is forbidden: audience "x" not found in pod spec volume, system:node:n1 is not authorized to request tokens for this audience',
    ],
    [
      "token for another's Pod",
      { what: 'serviceaccounts', subresource: 'token', object: bound('theirs', 'theirs'), ...at('sa') },
      'serviceaccounts "sa" is forbidden: node requested token bound to a pod scheduled on a different node',
    ],
    ['its lease', { ...lease, key: { namespace: 'kube-node-lease', name: '' } }, ''],
    ['a lease elsewhere', lease, `${leaseRefused}can only access leases in the "kube-node-lease" system namespace`],
    ['what is not of nodes', { what: 'configmaps', object: node() }, ''],
  ];
  for (const [name, request, expected] of cases)
    t.equal(verdict(plugin, NODE, stored, request).refused, expected, name);
  const unnamed = verdict(plugin, { ...NODE, name: 'system:node:' }, {}, { what: 'configmaps', object: node() });
  t.match(unnamed.refused, /could not determine node from user "system:node:"/);
  const person = verdict(plugin, { name: 'x', groups: [] }, {}, { what: 'nodes', object: node({}, {}, 'n2') });
  t.equal(person.refused, '', 'others are left alone');
  t.end();
});

const CATALOG = createCatalog({});
const unasked: WebhooksOptions = {
  catalog: CATALOG,
  turns: createTurns(realClock),
  call: () => Promise.reject(new Error('nobody is called')),
  uuid: () => '',
  equivalents: () => [],
  versions: createVersions(CATALOG),
  metrics: createHookMetrics(),
  compileConditions: () => () => Promise.resolve([]),
  ready: () => false,
};

const noPolicies: PoliciesOptions = {
  ...unasked,
  authorizer: alwaysDeny,
  clock: realClock,
  metrics: createPolicyMetrics(),
};

t.test('lists of plugins', t => {
  const all = createAdmission({ random: () => 0, authorizer: alwaysDeny, webhooks: unasked, policies: noPolicies }).map(
    plugin => plugin.name,
  );
  t.same(all, SERVED_PLUGINS, 'names are those of the plugins, in order');
  const cases: [string[], string[], string | undefined][] = [
    [['NodeRestriction', 'PodSecurity'], ['LimitRanger'], undefined],
    [[], ['AlwaysPullImages'], undefined],
    [['AlwaysPullImages'], [], '--enable-admission-plugins: AlwaysPullImages is not supported'],
    [['Nonsense'], [], 'enable-admission-plugins plugin "Nonsense" is unknown'],
    [[], ['Nonsense'], 'disable-admission-plugins plugin "Nonsense" is unknown'],
    [['Priority'], ['Priority'], '[Priority] in enable-admission-plugins and disable-admission-plugins overlapped'],
  ];
  for (const [on, off, expected] of cases)
    t.equal(pluginListProblem(on, off), expected, `${on.join()} / ${off.join()}`);
  t.end();
});

t.test('Pod Security Standards', t => {
  const one = (securityContext: object, more: object = {}): SecuredContainer => ({
    name: 'a',
    securityContext,
    ...more,
  });
  const safe = {
    allowPrivilegeEscalation: false,
    runAsNonRoot: true,
    capabilities: { drop: ['ALL'] },
    seccompProfile: { type: 'RuntimeDefault' },
  };
  const cases: [Level, number | undefined, SecuredSpec, string][] = [
    ['privileged', undefined, { hostPID: true }, ''],
    ['baseline', undefined, { containers: [one({})] }, ''],
    ['baseline', undefined, { hostNetwork: true, hostIPC: true }, 'host namespaces (hostNetwork=true, hostIPC=true)'],
    [
      'baseline',
      undefined,
      { containers: [one({ privileged: true }), { ...one({ privileged: true }), name: 'b' }] },
      'privileged (containers "a", "b" must not set securityContext.privileged=true)',
    ],
    [
      'baseline',
      undefined,
      { containers: [one({}, { ports: [{ hostPort: 80 }, { hostPort: 443 }] })] },
      'hostPort (container "a" uses hostPorts 443, 80)',
    ],
    ['baseline', 33, { containers: [one({}, { livenessProbe: { httpGet: { host: 'h' } } })] }, ''],
    [
      'baseline',
      34,
      { containers: [one({}, { livenessProbe: { httpGet: { host: 'h' } } })] },
      'probe or lifecycle host (container "a" uses probe or lifecycle host "h")',
    ],
    [
      'baseline',
      26,
      { securityContext: { sysctls: [{ name: 'net.ipv4.ip_local_reserved_ports' }] } },
      'forbidden sysctls (net.ipv4.ip_local_reserved_ports)',
    ],
    ['baseline', 27, { securityContext: { sysctls: [{ name: 'net.ipv4.ip_local_reserved_ports' }] } }, ''],
    ['restricted', undefined, { containers: [one(safe)] }, ''],
    [
      'restricted',
      99,
      { containers: [one({ ...safe, runAsUser: 0 })] },
      'runAsUser=0 (container "a" must not set runAsUser=0)',
    ],
    [
      'restricted',
      undefined,
      { containers: [{ name: 'a' }] },
      'allowPrivilegeEscalation != false (container "a" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "a" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "a" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
    ],
    [
      'restricted',
      undefined,
      {
        containers: [one(safe)],
        volumes: [
          { name: 'h', hostPath: {} },
          { name: 's', secret: {} },
        ],
      },
      'restricted volume types (volume "h" uses restricted volume type "hostPath")',
    ],
    ['restricted', 35, { hostUsers: false, containers: [one({ ...safe, runAsNonRoot: false })] }, ''],
  ];
  for (const [level, minor, spec, expected] of cases) {
    const found = violationsOf({ level, minor }, { metadata: {}, spec });
    t.equal(describeViolations(found), expected, `${level} ${minor ?? 'latest'}: ${expected}`);
  }
  t.end();
});

t.test('policies of namespaces', t => {
  const labels = (of: Record<string, string>): Record<string, string> =>
    Object.fromEntries(Object.entries(of).map(([key, value]) => [`pod-security.kubernetes.io/${key}`, value]));
  const latest = (level: Level) => ({ level, minor: undefined });
  t.same(policyOf(labels({ enforce: 'baseline', 'enforce-version': 'v1.30' })).policy, {
    enforce: { level: 'baseline', minor: 30 },
    audit: latest('privileged'),
    warn: { level: 'baseline', minor: 30 },
  });
  t.same(
    policyOf(labels({ enforce: 'x', warn: 'y', 'audit-version': '1.2' })).errors.map(error => error.message),
    [
      'Invalid value: "x": must be one of privileged, baseline, restricted',
      'Invalid value: "1.2": must be "latest" or "v1.x"',
      'Invalid value: "y": must be one of privileged, baseline, restricted',
    ],
  );

  const namespace = (of: Record<string, string>): KubeObject => ({ metadata: { name: 'ns', labels: labels(of) } });
  const pod = (name: string, image = 'i'): KubeObject => ({
    metadata: { name, namespace: 'ns' },
    spec: { hostPID: true, containers: [{ name: 'c', image }] },
  });
  const run = (of: Record<string, string>, request: Parameters<typeof verdict>[3]) =>
    verdict(
      podSecurity,
      { name: 'x', groups: [] },
      { namespaces: [namespace(of)], pods: [pod('b'), pod('a')] },
      request,
    );
  const violates = '"baseline:latest": host namespaces (hostPID=true)';
  const create = { what: 'pods', object: pod('p') };
  t.same(run({ enforce: 'baseline' }, create), {
    refused: `pods "p" is forbidden: violates PodSecurity ${violates}`,
    warned: [],
  });
  t.same(run({ warn: 'baseline' }, create), { refused: '', warned: [`would violate PodSecurity ${violates}`] });
  t.same(run({}, create), { refused: '', warned: [] });
  const change = { what: 'pods', operation: 'UPDATE', old: pod('p') } as const;
  t.equal(run({ enforce: 'baseline' }, { ...change, object: pod('p') }).refused, '', 'nothing new is run');
  t.match(run({ enforce: 'baseline' }, { ...change, object: pod('p', 'new') }).refused, /violates/);
  const template = { what: 'deployments.apps', object: { metadata: {}, spec: { template: pod('') } } };
  t.same(run({ enforce: 'baseline' }, template), { refused: '', warned: [`would violate PodSecurity ${violates}`] });
  const stricter = {
    what: 'namespaces',
    operation: 'UPDATE',
    old: namespace({}),
    object: namespace({ enforce: 'baseline' }),
  };
  t.same(run({}, { ...stricter, operation: 'UPDATE' }).warned, [
    'existing pods in namespace "ns" violate the new PodSecurity enforce level "baseline:latest"',
    'a (and 1 other pod): host namespaces',
  ]);
  t.end();
});
