import t from 'tap';
import type { Service } from '../../../src/machinery/types.js';
import { makeEnvironment, serviceEnvironment } from '../../../src/nodeagent/pods/environment.js';
import { hostsFile, resolverConfig } from '../../../src/nodeagent/pods/etc-files.js';
import { planPod } from '../../../src/nodeagent/pods/plan.js';
import { statusPatch } from '../../../src/nodeagent/pods/status/status-writer.js';
import { newRecord, type ContainerRecord } from '../../../src/nodeagent/pods/types.js';
import { pod } from '../../support/simulated-node.js';

t.test('planPod', t => {
  const record = (
    name: string,
    kind: ContainerRecord['kind'],
    change: Partial<ContainerRecord> = {},
  ): ContainerRecord => Object.assign(newRecord({ name }, kind), { startedHere: true }, change);
  const running = { state: { kind: 'running', startedAt: 0, containerID: 'x' }, started: true } as const;
  const exit = (exitCode: number) =>
    ({ state: { kind: 'terminated', exitCode, reason: '', finishedAt: 0, containerID: 'x' } }) as const;
  const fresh = { startedHere: false };
  const spec = { containers: [{ name: 'a' }, { name: 'b' }] };
  const rows = [
    {
      name: 'all new',
      policy: 'Always',
      records: [record('a', 'regular', fresh), record('b', 'regular', fresh)],
      start: ['a', 'b'],
    },
    {
      name: 'one ended',
      policy: 'Always',
      records: [record('a', 'regular', exit(0)), record('b', 'regular', running)],
      start: ['a'],
    },
    {
      name: 'one ended, OnFailure',
      policy: 'OnFailure',
      records: [record('a', 'regular', exit(0)), record('b', 'regular', exit(1))],
      start: ['b'],
    },
    {
      name: 'all ended, Never',
      policy: 'Never',
      records: [record('a', 'regular', exit(0)), record('b', 'regular', exit(1))],
      start: [],
      finished: true,
    },
    {
      name: 'init first',
      policy: 'Always',
      records: [record('i', 'init', fresh), record('a', 'regular', fresh)],
      start: ['i'],
    },
    {
      name: 'init running',
      policy: 'Always',
      records: [record('i', 'init', running), record('a', 'regular', fresh)],
      start: [],
    },
    {
      name: 'init failed, Never',
      policy: 'Never',
      records: [record('i', 'init', exit(1)), record('a', 'regular', fresh)],
      start: [],
      finished: true,
    },
    {
      name: 'init failed, Always',
      policy: 'Always',
      records: [record('i', 'init', exit(1)), record('a', 'regular', fresh)],
      start: ['i'],
    },
    {
      name: 'sidecar not started',
      policy: 'Always',
      records: [record('s', 'sidecar', { ...running, started: false }), record('a', 'regular', fresh)],
      start: [],
    },
    {
      name: 'sidecar started',
      policy: 'Always',
      records: [record('s', 'sidecar', running), record('a', 'regular', fresh)],
      start: ['a'],
    },
    {
      name: 'sidecar died later',
      policy: 'Never',
      records: [record('s', 'sidecar', exit(0)), record('a', 'regular', running)],
      start: ['s'],
    },
    {
      name: 'only the sidecar is left',
      policy: 'Never',
      records: [record('s', 'sidecar', running), record('a', 'regular', exit(0))],
      start: [],
      finished: true,
    },
  ];
  for (const { name, policy, records, start, finished = false } of rows)
    t.same(planPod(pod('p', { ...spec, restartPolicy: policy }), records), { start, finished }, name);
  t.end();
});

t.test('small parts', async t => {
  const service = (name: string, namespace: string, ports: object[], clusterIP = '10.96.1.1') =>
    ({ metadata: { name, namespace }, spec: { clusterIP, ports } }) as unknown as Service;
  const services = [
    service('kubernetes', 'default', [{ name: 'https', port: 443, protocol: 'TCP' }], '10.96.0.1'),
    service('my-app', 'shop', [{ port: 80, protocol: 'TCP' }]),
    service('other', 'elsewhere', [{ port: 80 }]),
    service('headless', 'shop', [{ port: 80 }], 'None'),
  ];
  t.same(serviceEnvironment(services, 'shop', true), {
    KUBERNETES_SERVICE_HOST: '10.96.0.1',
    KUBERNETES_SERVICE_PORT: '443',
    KUBERNETES_SERVICE_PORT_HTTPS: '443',
    KUBERNETES_PORT: 'tcp://10.96.0.1:443',
    KUBERNETES_PORT_443_TCP: 'tcp://10.96.0.1:443',
    KUBERNETES_PORT_443_TCP_PROTO: 'tcp',
    KUBERNETES_PORT_443_TCP_PORT: '443',
    KUBERNETES_PORT_443_TCP_ADDR: '10.96.0.1',
    MY_APP_SERVICE_HOST: '10.96.1.1',
    MY_APP_SERVICE_PORT: '80',
    MY_APP_PORT: 'tcp://10.96.1.1:80',
    MY_APP_PORT_80_TCP: 'tcp://10.96.1.1:80',
    MY_APP_PORT_80_TCP_PROTO: 'tcp',
    MY_APP_PORT_80_TCP_PORT: '80',
    MY_APP_PORT_80_TCP_ADDR: '10.96.1.1',
  });
  t.equal(
    Object.keys(serviceEnvironment(services, 'shop', false)).some(k => k.startsWith('MY_APP')),
    false,
  );
  await t.rejects(
    makeEnvironment({
      pod: pod('p', {}),
      container: { name: 'c', envFrom: [{ configMapRef: { name: 'nope' } }] },
      addresses: { podIPs: [], nodeIPs: [] },
      services: [],
      sources: {
        configMap: async () => undefined,
        secret: async () => undefined,
        resourceClaim: async () => undefined,
        volumeClaim: async () => undefined,
        volume: async () => undefined,
        token: async () => '',
      },
      allocatable: {},
      volumes: new Map(),
      base: {},
    }),
    { message: 'configmap "nope" not found' },
  );

  const dns = { address: '10.96.0.10', domain: 'cluster.local', hostNameservers: ['172.18.0.1'] };
  const resolv = (spec: object) => {
    const { config, options } = resolverConfig(pod('p', spec), dns);
    return [config.nameservers, config.search, options];
  };
  const search = ['default.svc.cluster.local', 'svc.cluster.local', 'cluster.local'];
  t.same(resolv({}), [['10.96.0.10'], search, ['ndots:5']]);
  t.same(resolv({ dnsPolicy: 'Default' }), [['172.18.0.1'], [], []]);
  t.same(resolv({ hostNetwork: true }), [['172.18.0.1'], [], []]);
  t.same(resolv({ hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' }), [['10.96.0.10'], search, ['ndots:5']]);
  t.same(
    resolv({
      dnsPolicy: 'None',
      dnsConfig: {
        nameservers: ['1.1.1.1'],
        searches: ['x'],
        options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }],
      },
    }),
    [['1.1.1.1'], ['x'], ['ndots:2', 'edns0']],
  );
  const options = (...pairs: readonly (readonly [string, string?])[]) =>
    resolverConfig(pod('p', { dnsConfig: { options: pairs.map(([name, value]) => ({ name, value })) } }), dns);
  t.match(options(['use-vc'], ['edns0', ''], ['rotate'], ['no-aaaa'], ['timeout', '1'], ['attempts', '3']), {
    config: { useTcp: true, edns0: true, rotate: true, noAaaa: true, timeoutMs: 1000, attempts: 3, ndots: 5 },
    options: ['ndots:5', 'use-vc', 'edns0', 'rotate', 'no-aaaa', 'timeout:1', 'attempts:3'],
  });
  t.match(options(['ndots', '99'], ['timeout', '99'], ['attempts', '99']).config, {
    ...{ ndots: 15, timeoutMs: 30_000, attempts: 5 },
  });
  t.match(options(['ndots', 'x'], ['timeout', '0'], ['attempts', '-1']).config, {
    ...{ ndots: 0, timeoutMs: 1000, attempts: 1 },
  });
  const hosts = hostsFile(
    pod('p', { subdomain: 'peers', hostAliases: [{ ip: '1.2.3.4', hostnames: ['a', 'b'] }] }),
    { hostname: 'h', domain: 'peers.default.svc.cluster.local', nodename: 'h' },
    ['10.0.0.9', 'fd00::9'],
  );
  t.match(hosts, /10\.0\.0\.9\th\.peers\.default\.svc\.cluster\.local\th\n/);
  t.match(hosts, /fd00::9\th\.peers\.default\.svc\.cluster\.local\th\n/, 'a line for each address');
  t.match(hosts, /# Entries added by HostAliases\.\n1\.2\.3\.4\ta\tb\n$/);

  const time = '2026-01-01T00:00:00Z';
  const old = {
    phase: 'Pending',
    reason: 'x',
    conditions: [{ type: 'Ready', status: 'False', reason: 'Why', lastTransitionTime: time }],
  };
  t.same(
    statusPatch(
      old,
      { phase: 'Running', conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: time }] },
      'u',
    ),
    {
      metadata: { uid: 'u' },
      status: {
        phase: 'Running',
        reason: null,
        '$setElementOrder/conditions': [{ type: 'Ready' }],
        conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: time, reason: null }],
      },
    },
  );
  t.equal(statusPatch(old as never, old as never, 'u'), undefined);
});
