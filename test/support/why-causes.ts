import type { Facts, ListeningPorts } from '../../src/explain/types.js';
import type { NameSource } from '../../src/explain/names.js';
import { podReason } from '../../src/explain/pod-problem.js';
import { localPolicyReason, serviceReason, type AskedPort } from '../../src/explain/service-reason.js';
import { nodeReason } from '../../src/explain/address-reason.js';
import { traceReason } from '../../src/explain/trace-reason.js';
import { because, requestVerdict, type Verdict } from '../../src/explain/verdict.js';
import { deploymentReason } from '../../src/explain/workload-reason.js';
import { NOBODY_OUTSIDE } from '../../src/machinery/nobody-outside.js';
import type {
  Container,
  ContainerStatus,
  CoreEvent,
  Deployment,
  EndpointSlice,
  Node,
  Pod,
  Service,
} from '../../src/machinery/types.js';
import type { NetworkStep } from '../../src/containers/network/types.js';
import type { TraceLookup, TraceReport } from '../../src/nodeagent/kubelet-api/trace-report.js';

/** A cause that `kubette why` knows: what there is, and what it says. docs/why.md is made of these. */
export interface Cause {
  readonly name: string;
  /** What somebody types. */
  readonly command: string;
  readonly input: () => Verdict | undefined;
  readonly expect: { readonly message: string; readonly code: Verdict['code']; readonly details?: readonly string[] };
}

const NAMESPACE = 'shop';
const CLUSTER_IP = '10.96.0.5';
const POD_IP = '10.244.0.2';

export const service = (spec: Partial<NonNullable<Service['spec']>> = {}, name = 'web'): Service => ({
  metadata: { namespace: NAMESPACE, name },
  spec: { clusterIP: CLUSTER_IP, clusterIPs: [CLUSTER_IP], selector: { app: 'web' }, ports: [{ port: 80 }], ...spec },
});
const http: Container = { name: 'c', image: 'nginx', ports: [{ name: 'http', containerPort: 80 }] };

interface PodOptions {
  readonly name?: string;
  readonly labels?: Record<string, string>;
  readonly container?: Partial<Container>;
  readonly spec?: Partial<NonNullable<Pod['spec']>>;
  readonly status?: Partial<NonNullable<Pod['status']>>;
  readonly metadata?: Partial<Pod['metadata']>;
}

/** Ready, unless its status says otherwise. */
export const pod = ({
  name = 'web-1',
  labels = { app: 'web' },
  container,
  spec,
  status,
  metadata,
}: PodOptions = {}): Pod => ({
  metadata: { namespace: NAMESPACE, name, labels, ...metadata },
  spec: { nodeName: 'node-1', containers: [{ ...http, ...container }], ...spec },
  status: { phase: 'Running', podIP: POD_IP, conditions: [{ type: 'Ready', status: 'True' }], ...status },
});
const NOT_READY = [{ type: 'Ready', status: 'False' }];
const state = (its: Partial<ContainerStatus>): ContainerStatus => ({
  name: 'c',
  ready: false,
  restartCount: 0,
  image: '',
  imageID: '',
  ...its,
});
/** A Pod whose container is in such a state. */
const withState = (its: Partial<ContainerStatus>, container: Partial<Container> = {}): Pod =>
  pod({ container, status: { conditions: NOT_READY, containerStatuses: [state(its)] } });

const event = (reason: string, message: string, about: Partial<CoreEvent['involvedObject']> = {}): CoreEvent => ({
  metadata: { namespace: NAMESPACE, name: reason },
  type: 'Warning',
  reason,
  message,
  involvedObject: { kind: 'Pod', name: 'web-1', fieldPath: 'spec.containers{c}', ...about },
});
const probed = (message: string, its: Partial<Container>): Partial<Facts> => ({
  pods: [withState({ state: { running: {} }, started: true }, its)],
  events: [event('Unhealthy', message)],
});
const slice = (ready: boolean, nodeName: string, ports: EndpointSlice['ports'] = [{ port: 80 }]): EndpointSlice => ({
  metadata: { namespace: NAMESPACE, name: 'web-x', labels: { 'kubernetes.io/service-name': 'web' } },
  addressType: 'IPv4',
  endpoints: [{ addresses: [POD_IP], conditions: { ready }, nodeName }],
  ...(ports && { ports }),
});
const node = (name: string, ready = true): Node => ({
  metadata: { name },
  status: {
    conditions: [
      {
        type: 'Ready',
        status: ready ? 'True' : 'Unknown',
        ...(ready ? {} : { message: 'Kubelet stopped posting node status.' }),
      },
    ],
  },
});
const deployment = (spec: Partial<NonNullable<Deployment['spec']>>, status: Deployment['status'] = {}): Deployment => ({
  metadata: { namespace: NAMESPACE, name: 'web' },
  spec: {
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [http] } },
    ...spec,
  },
  status,
});

const facts = (more: Partial<Facts>): Facts => ({ services: [], slices: [], pods: [], ...more });
const judged = (reason: ReturnType<typeof podReason>): Verdict | undefined =>
  reason === undefined ? undefined : because(reason);
const ofService =
  (its: Service, more: Partial<Facts>, asked?: AskedPort): (() => Verdict | undefined) =>
  () =>
    judged(serviceReason(its, asked, facts({ services: [its], ...more })));
const ofPod =
  (its: Pod, more: Partial<Facts> = {}): (() => Verdict | undefined) =>
  () =>
    judged(podReason(its, more));
/** The Pod of `more` as the only one that the Service selects. */
const unready = (more: Partial<Facts>): (() => Verdict | undefined) =>
  ofService(service(), { slices: [slice(false, 'node-1')], ...more });

const LOOKUP: TraceLookup = {
  name: CLUSTER_IP,
  nameservers: ['10.96.0.10'],
  search: ['shop.svc.cluster.local', 'svc.cluster.local', 'cluster.local'],
  ndots: 5,
  clusterDomain: 'cluster.local',
  dnsPolicy: 'ClusterFirst',
  addresses: [CLUSTER_IP],
  canonicalName: CLUSTER_IP,
  fromHosts: false,
  queries: [],
  unanswered: [],
};
const BASE = {
  version: 'v1',
  from: { kind: 'pod', namespace: NAMESPACE, name: 'client', addresses: ['10.244.0.9'], node: 'node-1' },
  url: 'http://web/',
} as const;
const flow = (dst: string, dstPort: number, proto: 'tcp' | 'udp' = 'tcp') =>
  ({ proto, src: '10.244.0.9', srcPort: 4000, dst, dstPort }) as const;

/** A request that was sent on to a Pod, which refuses it. */
function refused(port: number, to = { address: CLUSTER_IP, port: 80 }): TraceReport {
  const steps: NetworkStep[] = [
    {
      kind: 'netfilter',
      node: 'node-1',
      direction: 'request',
      hook: 'prerouting',
      in: flow(to.address, to.port),
      out: flow(POD_IP, port),
      verdict: 'accept',
      rules: [],
    },
    { kind: 'route', node: 'node-1', destination: POD_IP, via: 'pod shop/web-1' },
  ];
  const error = { code: 'ECONNREFUSED', message: 'Connection refused' };
  return { ...BASE, lookup: LOOKUP, connection: { protocol: 'tcp', to, steps, error }, error: error.message };
}

/** A request that a NetworkPolicy or a rule drops, or that nobody takes. */
function lost(
  address: string,
  code: string,
  message: string,
  rule?: Extract<NetworkStep, { kind: 'netfilter' }>['rules'][number],
): TraceReport {
  const to = { address, port: 80 };
  const steps: NetworkStep[] = [
    {
      kind: 'netfilter',
      node: 'node-1',
      direction: 'request',
      hook: 'prerouting',
      in: flow(address, 80),
      out: flow(address, 80),
      verdict: rule === undefined ? 'accept' : 'drop',
      rules: rule === undefined ? [] : [rule],
    },
  ];
  return {
    ...BASE,
    lookup: LOOKUP,
    connection: { protocol: 'tcp', to, steps, error: { code, message } },
    error: message,
  };
}

/** A name that nobody knows. */
function unknown(name: string, denier: string, rcode = 'NXDOMAIN'): TraceReport {
  const asked = [...LOOKUP.search.map(domain => `${name}.${domain}`), name];
  const queries = asked.map(one => ({
    question: { name: one, type: 'A' as const },
    server: '10.96.0.10',
    rcode,
    authoritative: false,
    records: [],
    denier,
    steps: [],
  }));
  return {
    ...BASE,
    url: `http://${name}/`,
    lookup: { ...LOOKUP, name, addresses: [], canonicalName: name, failure: 'NXDOMAIN', queries },
    error: `${name} could not be resolved`,
  };
}

const ofRequest =
  (report: TraceReport, more: Partial<Facts> = {}, names: readonly NameSource[] = []): (() => Verdict) =>
  () =>
    requestVerdict(report, traceReason(report, facts(more), names));
const answered = (status: number): TraceReport => {
  const { error: _error, connection, ...rest } = refused(80);
  if (connection === undefined) throw new Error('it has one');
  const { error: _refusal, ...its } = connection;
  const steps: NetworkStep[] = [
    ...its.steps,
    { kind: 'deliver', node: 'node-1', to: 'pod shop/web-1', flow: flow(POD_IP, 80) },
  ];
  return {
    ...rest,
    connection: { ...its, steps },
    reply: { status, contentType: 'text/plain', body: 'no database\n' },
  };
};
const listening = (ports: Partial<ListeningPorts>): Partial<Facts> => ({
  listening: new Map([['shop/web-1', { tcp: [], udp: [], sctp: [], loopback: [], ...ports }]]),
});
const crash = { reason: 'CrashLoopBackOff', message: 'back-off 10s restarting failed container' };

/** What a command says of whom, before the sentence itself. */
const SERVICE = 'Service shop/web: ';
const POD = 'Pod shop/web-1: not Ready: ';

export const CAUSES: readonly Cause[] = [
  {
    name: 'the selector is misspelt',
    command: 'svc/web',
    input: ofService(service({ selector: { app: 'ap' } }), {
      pods: [
        pod({ labels: { app: 'app' } }),
        pod({ name: 'b', labels: { app: 'app' } }),
        pod({ name: 'c', labels: { app: 'db' } }),
      ],
    }),
    expect: { code: 'NoMatchingPods', message: `${SERVICE}selector app=ap matches no Pod (app=app would match 2)` },
  },
  {
    name: 'one label of several is another',
    command: 'svc/web',
    input: ofService(service({ selector: { app: 'web', tier: 'front' } }), {
      pods: [pod({ labels: { app: 'web', tier: 'back' } })],
    }),
    expect: {
      code: 'NoMatchingPods',
      message: `${SERVICE}selector app=web,tier=front matches no Pod (app=web,tier=back would match 1)`,
    },
  },
  {
    name: 'the label has another key',
    command: 'svc/web',
    input: ofService(service(), { pods: [pod({ labels: { 'app.kubernetes.io/name': 'web' } })] }),
    expect: {
      code: 'NoMatchingPods',
      message: `${SERVICE}selector app=web matches no Pod (app.kubernetes.io/name=web would match 1)`,
    },
  },
  {
    name: 'no label is near',
    command: 'svc/web',
    input: ofService(service(), {
      pods: [pod({ labels: { app: 'mail' } }), pod({ name: 'b', labels: { app: 'db' } })],
    }),
    expect: {
      code: 'NoMatchingPods',
      message: `${SERVICE}selector app=web matches no Pod`,
      details: ['Pods have app=mail (1), app=db (1)'],
    },
  },
  {
    name: 'the Pods are in another namespace',
    command: 'svc/web',
    input: ofService(service(), { elsewhere: [pod({ metadata: { namespace: 'prod' } })] }),
    expect: {
      code: 'NoMatchingPods',
      message: `${SERVICE}selector app=web matches no Pod of namespace shop (it would match 1 of prod)`,
    },
  },
  {
    name: 'the namespace is empty',
    command: 'svc/web',
    input: ofService(service(), {}),
    expect: { code: 'NoMatchingPods', message: `${SERVICE}selector app=web matches no Pod (namespace shop has none)` },
  },
  {
    name: 'the Deployment is scaled to nothing',
    command: 'svc/web',
    input: ofService(service(), { deployments: [deployment({ replicas: 0 })] }),
    expect: {
      code: 'NoMatchingPods',
      message: `${SERVICE}selector app=web matches no Pod (Deployment web would make them, its replicas are 0)`,
    },
  },
  {
    name: 'the readiness probe is answered otherwise',
    command: 'svc/web',
    input: unready(
      probed('Readiness probe failed: HTTP probe failed with statuscode: 404', {
        readinessProbe: { httpGet: { path: '/nope', port: 80 } },
      }),
    ),
    expect: {
      code: 'NoReadyEndpoints',
      message: `${SERVICE}1 Pod matches, not Ready: readiness probe /nope answers 404`,
    },
  },
  {
    name: 'the readiness probe asks a port that nobody listens on',
    command: 'svc/web',
    input: unready(
      probed('Readiness probe failed: dial tcp 10.244.0.2:81: connect: connection refused', {
        readinessProbe: { tcpSocket: { port: 81 } },
      }),
    ),
    expect: {
      code: 'NoReadyEndpoints',
      message: `${SERVICE}1 Pod matches, not Ready: readiness probe of TCP port 81 fails: nothing listens on 81`,
    },
  },
  {
    name: 'the readiness probe is not answered in time',
    command: 'svc/web',
    input: unready(
      probed(
        'Readiness probe failed: Get "http://10.244.0.2:80/": context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
        {
          readinessProbe: { httpGet: { port: 80 }, timeoutSeconds: 2 },
        },
      ),
    ),
    expect: {
      code: 'NoReadyEndpoints',
      message: `${SERVICE}1 Pod matches, not Ready: readiness probe / does not answer within 2 s`,
    },
  },
  {
    name: 'the command of a readiness probe fails',
    command: 'svc/web',
    input: unready(
      probed('Readiness probe failed: cat: /ready: No such file or directory\n', {
        readinessProbe: { exec: { command: ['cat', '/ready'] } },
      }),
    ),
    expect: {
      code: 'NoReadyEndpoints',
      message: `${SERVICE}1 Pod matches, not Ready: readiness probe \`cat /ready\` fails: cat: /ready: No such file or directory`,
    },
  },
  {
    name: 'the startup probe has not succeeded',
    command: 'pod/web-1',
    input: ofPod(
      withState({ state: { running: {} }, started: false }, { startupProbe: { httpGet: { path: '/up', port: 80 } } }),
    ),
    expect: { code: 'PodNotReady', message: `${POD}startup probe /up has not succeeded yet` },
  },
  {
    name: 'several Pods, each for a reason of its own',
    command: 'svc/web',
    input: unready({
      pods: [
        withState({ state: { waiting: crash }, lastState: { terminated: { exitCode: 1 } }, restartCount: 4 }),
        pod({ name: 'web-2', metadata: { deletionTimestamp: '2026-01-02T03:04:05Z' } }),
      ],
    }),
    expect: {
      code: 'NoReadyEndpoints',
      message: `${SERVICE}2 Pods match, none Ready: web-1: container c: CrashLoopBackOff, exit code 1 (restarted 4 times)`,
      details: ['Pod web-2: being deleted since 2026-01-02T03:04:05Z'],
    },
  },
  {
    name: 'the image cannot be pulled',
    command: 'pod/web-1',
    input: ofPod(
      withState(
        {
          state: {
            waiting: {
              reason: 'ImagePullBackOff',
              message: 'Back-off pulling image "nginx:nosuch": ErrImagePull: docker.io/library/nginx:nosuch: not found',
            },
          },
        },
        { image: 'nginx:nosuch' },
      ),
    ),
    expect: {
      code: 'PodNotReady',
      message: `${POD}image nginx:nosuch cannot be pulled (ImagePullBackOff: the registry has none of that tag)`,
    },
  },
  {
    name: 'the container ends again and again',
    command: 'pod/web-1',
    input: ofPod(withState({ state: { waiting: crash }, lastState: { terminated: { exitCode: 3 } }, restartCount: 1 })),
    expect: { code: 'PodNotReady', message: `${POD}container c: CrashLoopBackOff, exit code 3 (restarted once)` },
  },
  {
    name: 'the container takes too much memory',
    command: 'pod/web-1',
    input: ofPod(
      withState(
        {
          state: { waiting: crash },
          lastState: { terminated: { exitCode: 137, reason: 'OOMKilled' } },
          restartCount: 2,
        },
        { resources: { limits: { memory: '64Mi' } } },
      ),
    ),
    expect: {
      code: 'PodNotReady',
      message: `${POD}container c: CrashLoopBackOff, exit code 137, OOMKilled at its limit of 64Mi (restarted 2 times)`,
    },
  },
  {
    name: 'the liveness probe has the container killed',
    command: 'pod/web-1',
    input: ofPod(
      withState(
        { state: { waiting: crash }, lastState: { terminated: { exitCode: 137 } }, restartCount: 2 },
        { livenessProbe: { httpGet: { path: '/alive', port: 80 } } },
      ),
      { events: [event('Unhealthy', 'Liveness probe failed: HTTP probe failed with statuscode: 500')] },
    ),
    expect: {
      code: 'PodNotReady',
      message: `${POD}container c: CrashLoopBackOff, exit code 137 (restarted 2 times); liveness probe /alive answers 500`,
    },
  },
  {
    name: 'a ConfigMap is missing',
    command: 'pod/web-1',
    input: ofPod(
      withState({
        state: { waiting: { reason: 'CreateContainerConfigError', message: 'configmap "conf" not found' } },
      }),
    ),
    expect: {
      code: 'PodNotReady',
      message: `${POD}container c: CreateContainerConfigError, configmap "conf" not found`,
    },
  },
  {
    name: 'a volume cannot be mounted',
    command: 'pod/web-1',
    input: ofPod(withState({ state: { waiting: { reason: 'ContainerCreating' } } }), {
      events: [
        event('FailedMount', 'MountVolume.SetUp failed for volume "d" : secret "key" not found', { fieldPath: '' }),
      ],
    }),
    expect: {
      code: 'PodNotReady',
      message: `${POD}its containers wait: MountVolume.SetUp failed for volume "d" : secret "key" not found`,
    },
  },
  {
    name: 'an init container fails',
    command: 'pod/web-1',
    input: ofPod(
      pod({
        spec: { initContainers: [{ name: 'wait', image: 'busybox' }] },
        status: {
          conditions: NOT_READY,
          initContainerStatuses: [
            state({
              name: 'wait',
              state: { waiting: crash },
              lastState: { terminated: { exitCode: 1 } },
              restartCount: 3,
            }),
          ],
          containerStatuses: [state({ state: { waiting: { reason: 'PodInitializing' } } })],
        },
      }),
    ),
    expect: {
      code: 'PodNotReady',
      message: `${POD}init container wait: CrashLoopBackOff, exit code 1 (restarted 3 times)`,
    },
  },
  {
    name: 'an init container still runs',
    command: 'pod/web-1',
    input: ofPod(
      pod({
        spec: { initContainers: [{ name: 'wait', image: 'busybox' }] },
        status: { conditions: NOT_READY, initContainerStatuses: [state({ name: 'wait', state: { running: {} } })] },
      }),
    ),
    expect: { code: 'PodNotReady', message: `${POD}init container wait still runs: the others wait for its end` },
  },
  {
    name: 'no node has room',
    command: 'pod/web-1',
    input: ofPod({
      ...pod({
        status: {
          phase: 'Pending',
          conditions: [
            { type: 'PodScheduled', status: 'False', message: '0/2 nodes are available: 2 Insufficient cpu.' },
          ],
        },
      }),
      spec: { containers: [http] },
    }),
    expect: { code: 'PodNotReady', message: `${POD}no node takes it: 0/2 nodes are available: 2 Insufficient cpu.` },
  },
  {
    name: 'a claim has no volume',
    command: 'pod/web-1',
    input: ofPod(
      {
        ...pod({
          status: {
            phase: 'Pending',
            conditions: [
              { type: 'PodScheduled', status: 'False', message: 'pod has unbound immediate PersistentVolumeClaims' },
            ],
          },
        }),
        spec: { containers: [http], volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'data' } }] },
      },
      {
        claims: [
          {
            metadata: { namespace: NAMESPACE, name: 'data' },
            spec: { storageClassName: 'fast' },
            status: { phase: 'Pending' },
          },
        ],
        events: [
          event('ProvisioningFailed', 'storageclass.storage.k8s.io "fast" not found', {
            kind: 'PersistentVolumeClaim',
            name: 'data',
          }),
        ],
      },
    ),
    expect: {
      code: 'PodNotReady',
      message: `${POD}PersistentVolumeClaim data is Pending: storageclass.storage.k8s.io "fast" not found`,
    },
  },
  {
    name: 'there is no such claim',
    command: 'pod/web-1',
    input: ofPod(
      {
        ...pod({ status: { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False' }] } }),
        spec: { containers: [http], volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'data' } }] },
      },
      { claims: [] },
    ),
    expect: { code: 'PodNotReady', message: `${POD}there is no PersistentVolumeClaim data` },
  },
  {
    name: 'a readiness gate is closed',
    command: 'pod/web-1',
    input: ofPod(
      pod({
        spec: { readinessGates: [{ conditionType: 'lb/ok' }] },
        status: { conditions: NOT_READY, containerStatuses: [state({ ready: true, state: { running: {} } })] },
      }),
    ),
    expect: { code: 'PodNotReady', message: `${POD}its readiness gate lb/ok is not True` },
  },
  {
    name: 'the Pod has ended',
    command: 'pod/web-1',
    input: ofPod(
      pod({
        status: {
          phase: 'Failed',
          reason: 'Evicted',
          message: 'The node was low on resource: memory.',
          conditions: NOT_READY,
        },
      }),
    ),
    expect: {
      code: 'PodNotReady',
      message: `${POD}it has ended (Failed, Evicted): The node was low on resource: memory.`,
    },
  },
  {
    name: 'the Pod is being deleted',
    command: 'pod/web-1',
    input: ofPod(pod({ metadata: { deletionTimestamp: '2026-01-02T03:04:05Z' } })),
    expect: { code: 'PodNotReady', message: `${POD}being deleted since 2026-01-02T03:04:05Z` },
  },
  {
    name: "the Pod's node has gone silent",
    command: 'pod/web-1',
    input: ofPod(pod(), { nodes: [node('node-1', false)] }),
    expect: { code: 'PodNotReady', message: `${POD}node node-1 is not Ready: Kubelet stopped posting node status.` },
  },
  {
    name: 'a node has gone silent',
    command: 'node/node-1',
    input: () => judged(nodeReason('node-1', { nodes: [node('node-1', false)] })),
    expect: { code: 'NodeNotReady', message: 'node node-1 is not Ready: Kubelet stopped posting node status.' },
  },
  {
    name: 'the targetPort has a name that no container port has',
    command: 'svc/web',
    input: ofService(service({ ports: [{ port: 80, targetPort: 'web' }] }), {
      pods: [pod()],
      slices: [slice(true, 'node-1', [])],
    }),
    expect: {
      code: 'NoSuchTargetPort',
      message: `${SERVICE}targetPort web: no container port of that name (there is http=80)`,
    },
  },
  {
    name: 'the containers name no ports at all',
    command: 'svc/web',
    input: ofService(service({ ports: [{ port: 80, targetPort: 'web' }] }), {
      pods: [pod({ container: { ports: [] } })],
      slices: [slice(true, 'node-1', [])],
    }),
    expect: {
      code: 'NoSuchTargetPort',
      message: `${SERVICE}targetPort web: no container port of that name (the Pods name no ports)`,
    },
  },
  {
    name: 'the targetPort is one that nobody listens on',
    command: 'svc/web',
    input: ofRequest(refused(8080), {
      services: [service({ ports: [{ port: 80, targetPort: 8080 }] })],
      ...listening({ tcp: [80] }),
    }),
    expect: { code: 'NothingListens', message: `${SERVICE}nothing listens on 8080 in web-1, it listens on 80` },
  },
  {
    name: 'the container listens for itself only',
    command: 'svc/web',
    input: ofRequest(refused(80), { services: [service()], ...listening({ loopback: [80] }) }),
    expect: {
      code: 'NothingListens',
      message: `${SERVICE}nothing listens on 80 in web-1 for others: it listens on 127.0.0.1 only`,
    },
  },
  {
    name: 'a headless Service translates no port',
    command: 'svc/web --from client',
    input: ofRequest(
      refused(8000, { address: POD_IP, port: 8000 }),
      {
        services: [service({ clusterIP: 'None', clusterIPs: ['None'], ports: [{ port: 8000, targetPort: 80 }] })],
        ...listening({ tcp: [80] }),
      },
      [{ name: 'web.shop.svc.cluster.local', text: '', service: { namespace: NAMESPACE, name: 'web' } }],
    ),
    expect: {
      code: 'HeadlessPort',
      message: `${SERVICE}headless, so port 8000 is not translated to targetPort 80: nothing listens on 8000 in web-1, it listens on 80`,
    },
  },
  {
    name: 'the port is none of the Service',
    command: 'svc/web:81',
    input: ofService(service(), { pods: [pod()], slices: [slice(true, 'node-1')] }, { port: 81 }),
    expect: { code: 'NoSuchPort', message: `${SERVICE}port 81 is no port of the Service (80)` },
  },
  {
    name: 'the port is of another protocol',
    command: 'udp://web:80',
    input: ofService(service(), { pods: [pod()], slices: [slice(true, 'node-1')] }, { port: 80, protocol: 'udp' }),
    expect: { code: 'NoSuchPort', message: `${SERVICE}port 80/UDP is no port of the Service (80/TCP)` },
  },
  {
    name: 'internalTrafficPolicy Local leaves a node out',
    command: 'svc/web',
    input: () =>
      judged(
        localPolicyReason(
          service({ internalTrafficPolicy: 'Local' }),
          { port: 80 },
          facts({ slices: [slice(true, 'node-2')], nodes: [node('node-1'), node('node-2')] }),
        ),
      ),
    expect: {
      code: 'NoLocalEndpoints',
      message: `${SERVICE}internalTrafficPolicy Local and no endpoint on node-1 (there is on node-2)`,
    },
  },
  {
    name: 'externalTrafficPolicy Local leaves the node out that was asked',
    command: 'svc/web --from host',
    input: ofRequest(
      lost('172.18.0.2', 'ETIMEDOUT', 'dropped', {
        kind: 'rule',
        hook: 'forward',
        effect: 'drop',
        origin: { kind: 'Service', namespace: NAMESPACE, name: 'web' },
      }),
      {
        services: [
          service({ type: 'NodePort', externalTrafficPolicy: 'Local', ports: [{ port: 8080, nodePort: 80 }] }),
        ],
        slices: [slice(true, 'node-2')],
      },
    ),
    expect: {
      code: 'NoLocalEndpoints',
      message: `${SERVICE}externalTrafficPolicy Local and no endpoint on node-1 (there is on node-2)`,
    },
  },
  {
    name: 'no selector, and nobody made an EndpointSlice',
    command: 'svc/web',
    input: ofService(service({ selector: {} }), {}),
    expect: { code: 'NoSelector', message: `${SERVICE}no selector, and no EndpointSlice` },
  },
  {
    name: 'no selector, and the EndpointSlice has nobody who is ready',
    command: 'svc/web',
    input: ofService(service({ selector: {} }), { slices: [slice(false, 'node-1')] }),
    expect: {
      code: 'NoSelector',
      message: `${SERVICE}no selector, and its EndpointSlice has no ready endpoint for this port`,
    },
  },
  {
    name: 'a NetworkPolicy',
    command: 'svc/web --from client',
    input: ofRequest(
      lost(POD_IP, 'ETIMEDOUT', 'dropped', {
        kind: 'networkPolicy',
        hook: 'postrouting',
        effect:
          'drop: NetworkPolicy shop/deny selects shop/web-1 for ingress, and none of its rules allows tcp from shop/client (10.244.0.9) to shop/web-1 (10.244.0.2:80)',
        origin: { kind: 'NetworkPolicy', namespace: NAMESPACE, name: 'deny' },
      }),
    ),
    expect: {
      code: 'NetworkPolicy',
      message:
        'NetworkPolicy shop/deny selects shop/web-1 for ingress, and none of its rules allows tcp from shop/client (10.244.0.9) to shop/web-1 (10.244.0.2:80)',
    },
  },
  {
    name: 'loadBalancerSourceRanges do not hold the client',
    command: 'svc/web --from 10.9.9.9',
    input: ofRequest(
      lost(CLUSTER_IP, 'ETIMEDOUT', 'dropped', {
        kind: 'rule',
        hook: 'forward',
        chain: 'KUBE-FW-X',
        effect: 'drop',
        origin: { kind: 'Service', namespace: NAMESPACE, name: 'web' },
      }),
      { services: [service({ loadBalancerSourceRanges: ['10.9.0.0/16'] })] },
    ),
    expect: {
      code: 'SourceRange',
      message: `${SERVICE}10.244.0.9 is in none of its loadBalancerSourceRanges (10.9.0.0/16)`,
    },
  },
  {
    name: 'an ExternalName outside',
    command: 'svc/web --from client',
    input: ofRequest(unknown('web', NOBODY_OUTSIDE), {}, [
      {
        name: 'web.shop.svc.cluster.local',
        text: '',
        service: { namespace: NAMESPACE, name: 'web' },
        alias: 'example.com',
      },
    ]),
    expect: {
      code: 'NoOutsideNetwork',
      message: `${SERVICE}ExternalName example.com: no outside network: example.com cannot be resolved`,
    },
  },
  {
    name: 'a name outside of the cluster',
    command: 'http://example.com',
    input: ofRequest(unknown('example.com', NOBODY_OUTSIDE), {}, [
      { name: 'example.com.svc.cluster.local', text: 'there is no namespace com', missing: 'namespace' },
    ]),
    expect: { code: 'NoOutsideNetwork', message: 'no outside network: example.com cannot be resolved' },
  },
  {
    name: 'a name that a server outside does not know (--dns-forward)',
    command: 'http://nothing.example.com',
    input: ofRequest(unknown('nothing.example.com', 'ns.example.com')),
    expect: {
      code: 'NameNotFound',
      message: 'nothing.example.com is NXDOMAIN: the name server outside knows no such name',
    },
  },
  {
    name: 'an address outside of the cluster',
    command: 'http://1.1.1.1',
    input: ofRequest(lost('1.1.1.1', 'EHOSTUNREACH', 'No route to host (1.1.1.1 is no address of this cluster)')),
    expect: { code: 'NoOutsideNetwork', message: 'no outside network: 1.1.1.1 is no address of this cluster' },
  },
  {
    name: 'a name that is nearly a Service',
    command: 'http://wbe',
    input: ofRequest(unknown('wbe', 'ns.dns.cluster.local'), {}, [
      {
        name: 'wbe.shop.svc.cluster.local',
        text: 'there is no Service wbe in namespace shop (there is web)',
        missing: 'service',
        near: 'web',
      },
    ]),
    expect: {
      code: 'NameNotFound',
      message: 'wbe is NXDOMAIN: there is no Service wbe in namespace shop (there is web)',
    },
  },
  {
    name: 'an address of a Pod that is gone',
    command: 'http://10.244.0.99',
    input: ofRequest(lost('10.244.0.99', 'EHOSTUNREACH', 'No route to host (no Pod of node-1 has 10.244.0.99)')),
    expect: { code: 'NoSuchAddress', message: 'no Pod, Service or node has the address 10.244.0.99 (any more)' },
  },
  {
    name: 'the replicas of a Deployment are 0',
    command: 'deploy/web',
    input: () => judged(deploymentReason(deployment({ replicas: 0 }), facts({}))),
    expect: { code: 'NotEnoughPods', message: 'Deployment shop/web: its replicas are 0' },
  },
  {
    name: "a Deployment's Pods are refused",
    command: 'deploy/web',
    input: () =>
      judged(
        deploymentReason(
          deployment(
            { replicas: 2 },
            {
              replicas: 0,
              conditions: [
                { type: 'ReplicaFailure', status: 'True', message: 'pods "web-1" is forbidden: exceeded quota: small' },
              ],
            },
          ),
          facts({}),
        ),
      ),
    expect: {
      code: 'NotEnoughPods',
      message: 'Deployment shop/web: 0 of 2 Pods made: pods "web-1" is forbidden: exceeded quota: small',
    },
  },
  {
    name: 'Pods of a Deployment are not Ready',
    command: 'deploy/web',
    input: () =>
      judged(
        deploymentReason(
          deployment({ replicas: 2 }),
          facts({
            pods: [
              pod({ name: 'web-0' }),
              withState({ state: { waiting: crash }, lastState: { terminated: { exitCode: 1 } }, restartCount: 2 }),
            ],
          }),
        ),
      ),
    expect: {
      code: 'PodsNotReady',
      message:
        'Deployment shop/web: 1 of 2 Pods Ready: web-1: container c: CrashLoopBackOff, exit code 1 (restarted 2 times)',
    },
  },
  {
    name: 'the application fails, not the network',
    command: 'svc/web',
    input: ofRequest(answered(503)),
    expect: {
      code: 'ServerError',
      message: 'pod shop/web-1 (10.244.0.2:80) answers HTTP 503: the way there is in order',
      details: ['no database'],
    },
  },
  {
    name: 'nothing',
    command: 'svc/web --from client',
    input: ofRequest(answered(200)),
    expect: {
      code: 'Works',
      message: 'works: pod shop/web-1 (10.244.0.2:80) answers HTTP 200 (asked by pod shop/client)',
    },
  },
];
