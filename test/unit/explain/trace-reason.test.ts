import t from 'tap';
import type { NetworkStep } from '../../../src/containers/network/types.js';
import type { TraceStep } from '../../../src/dataplane/trace.js';
import { isConcerned, serviceOf, traceReason } from '../../../src/explain/trace-reason.js';
import type { Facts } from '../../../src/explain/types.js';
import type { EndpointSlice, Pod, Service } from '../../../src/machinery/types.js';
import type { TraceLookup, TraceReport } from '../../../src/nodeagent/kubelet-api/trace-report.js';
import { checkedTrace } from '../../support/trace-schema.js';

const CLUSTER_IP = '10.96.0.5';
const service = (spec: Partial<NonNullable<Service['spec']>> = {}): Service => ({
  metadata: { namespace: 'shop', name: 'web' },
  spec: { clusterIP: CLUSTER_IP, clusterIPs: [CLUSTER_IP], selector: { app: 'web' }, ports: [{ port: 80 }], ...spec },
});
const pod = (
  name: string,
  labels: Record<string, string>,
  status: NonNullable<Pod['status']>,
  spec?: Pod['spec'],
): Pod => ({
  metadata: { namespace: 'shop', name, labels },
  spec: spec ?? { containers: [{ name: 'c', image: 'x', ports: [{ name: 'http', containerPort: 80 }] }] },
  status,
});
const READY = { phase: 'Running', podIP: '10.244.0.2', conditions: [{ type: 'Ready', status: 'True' }] };
const slice = (ready: boolean, nodeName: string): EndpointSlice => ({
  metadata: { namespace: 'shop', name: 'web-x', labels: { 'kubernetes.io/service-name': 'web' } },
  addressType: 'IPv4',
  endpoints: [{ addresses: ['10.244.0.2'], conditions: { ready }, nodeName }],
  ports: [{ port: 80 }],
});

const lookup = (more: Partial<TraceLookup> = {}): TraceLookup => ({
  name: 'web',
  nameservers: ['10.96.0.10'],
  search: ['shop.svc.cluster.local'],
  ndots: 5,
  clusterDomain: 'cluster.local',
  dnsPolicy: 'ClusterFirst',
  addresses: [],
  canonicalName: 'web',
  fromHosts: false,
  queries: [],
  unanswered: [],
  ...more,
});
const BASE = {
  version: 'v1',
  from: { kind: 'pod', namespace: 'shop', name: 'cli', addresses: ['10.244.0.9'], node: 'n1' },
  url: 'http://web/',
} as const;
const flow = (dstPort: number) =>
  ({ proto: 'tcp', src: '10.244.0.9', srcPort: 4000, dst: CLUSTER_IP, dstPort }) as const;

/** A request that a rule stopped. */
function stopped(verdict: 'drop' | 'reject', rule: Partial<TraceStep>, port = 80): TraceReport {
  const steps: NetworkStep[] = [
    {
      kind: 'netfilter',
      node: 'n1',
      direction: 'request',
      hook: 'prerouting',
      in: flow(port),
      out: flow(port),
      verdict,
      rules: [{ kind: 'rule', hook: 'forward', effect: verdict, ...rule }],
    },
  ];
  const error = { code: verdict === 'drop' ? 'ETIMEDOUT' : 'ECONNREFUSED', message: 'no' };
  return {
    ...BASE,
    lookup: lookup({ addresses: [CLUSTER_IP] }),
    connection: { protocol: 'tcp', to: { address: CLUSTER_IP, port }, steps, error },
    error: 'no',
  };
}
const BY_SERVICE = { chain: 'KUBE-SERVICES', origin: { kind: 'Service', namespace: 'shop', name: 'web' } } as const;

/** A request that came to a node, which has sent it to another one. */
function astray(rules: readonly TraceStep[]): TraceReport {
  const message = 'Connection timed out (the answer goes past the node that chose who answers)';
  const came = { proto: 'tcp', src: '172.18.0.1', srcPort: 4000, dst: '172.18.0.2', dstPort: 30080 } as const;
  const out = { ...came, dst: '10.244.2.2', dstPort: 8080 };
  const steps: NetworkStep[] = [
    {
      kind: 'netfilter',
      node: 'n1',
      direction: 'request',
      hook: 'prerouting',
      in: came,
      out,
      verdict: 'accept',
      rules: [...rules],
    },
    { kind: 'route', node: 'n1', destination: out.dst, via: 'node n2' },
    { kind: 'fail', node: 'n1', code: 'ETIMEDOUT', message },
  ];
  const to = { address: came.dst, port: came.dstPort };
  const error = { code: 'ETIMEDOUT', message };
  return {
    ...BASE,
    from: { kind: 'outside', addresses: ['172.18.0.1'], node: 'n1' },
    lookup: lookup({ addresses: [came.dst] }),
    connection: { protocol: 'tcp', to, steps, error },
    error: message,
  };
}

const rows: {
  name: string;
  report: TraceReport;
  facts: Partial<Facts>;
  expect: { code: string; message: RegExp | string; details?: (RegExp | string)[] };
}[] = [
  {
    name: 'no Pod has the labels: those that nearly do are named',
    report: stopped('reject', BY_SERVICE),
    facts: { services: [service()], pods: [pod('a', { app: 'wev' }, READY)] },
    expect: {
      code: 'NoMatchingPods',
      message: 'Service shop/web: selector app=web matches no Pod (app=wev would match 1)',
    },
  },
  {
    name: 'IPVS sends to another node what external policy Local wants here, and the answer goes past this one',
    report: astray([{ kind: 'rule', hook: 'input', effect: 'to 10.244.2.2:8080', ...BY_SERVICE }]),
    facts: {
      services: [service({ type: 'NodePort', externalTrafficPolicy: 'Local', ports: [{ port: 80, nodePort: 30080 }] })],
      slices: [slice(true, 'n2')],
    },
    expect: {
      code: 'NoLocalEndpoints',
      message: 'Service shop/web: externalTrafficPolicy Local and no endpoint on n1 (there is on n2)',
      details: ['n1 sends it to 10.244.2.2, which answers 172.18.0.1 past n1: the client has asked another address'],
    },
  },
  {
    name: 'nothing masquerades, and the answer goes past the node',
    report: astray([]),
    facts: {},
    expect: {
      code: 'NoAnswer',
      message: 'n1 sends it to 10.244.2.2, which answers 172.18.0.1 past n1: the client has asked another address',
    },
  },
  {
    name: 'Pods are there and none is ready: why, of each',
    report: stopped('reject', BY_SERVICE),
    facts: {
      services: [service()],
      slices: [slice(false, 'n1')],
      pods: [
        pod(
          'a',
          { app: 'web' },
          {
            phase: 'Pending',
            containerStatuses: [
              {
                name: 'c',
                ready: false,
                restartCount: 0,
                image: 'x',
                imageID: '',
                state: { waiting: { reason: 'ImagePullBackOff' } },
              },
            ],
          },
        ),
        pod(
          'b',
          { app: 'web' },
          {
            conditions: [{ type: 'PodScheduled', status: 'False', message: '0/1 nodes are available' }],
          },
        ),
      ],
    },
    expect: {
      code: 'NoReadyEndpoints',
      message: 'Service shop/web: 2 Pods match, none Ready: a: image x cannot be pulled (ImagePullBackOff)',
      details: ['Pod b: no node takes it: 0/1 nodes are available'],
    },
  },
  {
    name: 'a targetPort by a name that no container has',
    report: stopped('reject', BY_SERVICE),
    facts: {
      services: [service({ ports: [{ port: 80, targetPort: 'web' }] })],
      pods: [pod('a', { app: 'web' }, READY)],
    },
    expect: {
      code: 'NoSuchTargetPort',
      message: 'Service shop/web: targetPort web: no container port of that name (there is http=80)',
    },
  },
  {
    name: 'no selector and no endpoints',
    report: stopped('reject', BY_SERVICE),
    facts: { services: [service({ selector: {} })] },
    expect: { code: 'NoSelector', message: 'Service shop/web: no selector, and no EndpointSlice' },
  },
  {
    name: 'policy Local without an endpoint here',
    report: stopped('drop', BY_SERVICE),
    facts: { services: [service({ internalTrafficPolicy: 'Local' })], slices: [slice(true, 'n2')] },
    expect: {
      code: 'NoLocalEndpoints',
      message: 'Service shop/web: internalTrafficPolicy Local and no endpoint on n1 (there is on n2)',
    },
  },
  {
    name: 'a client that no source range holds',
    report: stopped('drop', { ...BY_SERVICE, chain: 'KUBE-FW-X' }),
    facts: { services: [service({ loadBalancerSourceRanges: ['10.9.0.0/16'] })] },
    expect: {
      code: 'SourceRange',
      message: /10\.244\.0\.9 is in none of its loadBalancerSourceRanges \(10\.9\.0\.0\/16\)/,
    },
  },
  {
    name: 'a port that the Service does not have',
    report: stopped('reject', { chain: 'cluster-ips-check' }, 81),
    facts: { services: [service()] },
    expect: { code: 'NoSuchPort', message: 'Service shop/web: port 81 is no port of the Service (80)' },
  },
  {
    name: 'a NetworkPolicy',
    report: stopped('drop', { kind: 'networkPolicy', effect: 'drop: NetworkPolicy shop/deny selects shop/web-1' }),
    facts: { services: [service()] },
    expect: { code: 'NetworkPolicy', message: 'NetworkPolicy shop/deny selects shop/web-1' },
  },
  {
    name: 'a name that is none',
    report: { ...BASE, lookup: lookup({ failure: 'NXDOMAIN' }), error: 'web could not be resolved' },
    facts: {},
    expect: { code: 'NameNotFound', message: 'web is NXDOMAIN: there is no Service web in namespace shop' },
  },
];

t.test('why a traced request failed, and what to change', async t => {
  const names = [{ name: 'web.shop.svc.cluster.local', text: 'there is no Service web in namespace shop' }];
  for (const { name, report, facts, expect } of rows) {
    const all: Facts = { services: [], slices: [], pods: [], ...facts };
    const reason = traceReason(report, all, names);
    const concerned = all.services.filter(one => isConcerned(report, one));
    t.same(traceReason(report, { ...all, services: concerned }, names), reason, `${name}: from what concerns it`);
    t.match(reason, expect, name);
    t.not(reason?.fix ?? '', '', `${name}: it says what to change`);
    t.doesNotThrow(() => checkedTrace({ ...report, reason }), `${name}: as its schema`);
  }
  const byNodePort = astray([{ kind: 'rule', hook: 'input', effect: 'to 10.244.2.2:8080', ...BY_SERVICE }]);
  t.equal(serviceOf(byNodePort, [service()])?.metadata.name, 'web', 'the Service of a node port is known by its rule');
  const other: Service = { metadata: { namespace: 'shop', name: 'other' }, spec: { clusterIPs: ['10.96.0.6'] } };
  t.notOk(isConcerned(stopped('reject', BY_SERVICE), other), 'a Service that has nothing to do with it');
  const { error: _error, ...fine } = stopped('reject', BY_SERVICE);
  t.equal(traceReason(fine, { services: [], slices: [], pods: [] }), undefined, 'nothing to explain');
});
