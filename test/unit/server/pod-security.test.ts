import t from 'tap';
import type { KubeObject } from '../../../src/machinery/types.js';
import { describeViolations, violationsOf } from '../../../src/server/admission/pod-security/evaluate.js';
import { podSecurity } from '../../../src/server/admission/pod-security/plugin.js';
import { policyOf, type Level } from '../../../src/server/admission/pod-security/policy.js';
import type { SecuredContainer, SecuredSpec } from '../../../src/server/admission/pod-security/subject.js';
import { verdict } from '../../support/admission.js';

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
