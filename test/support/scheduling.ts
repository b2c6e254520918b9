import { SELECTING_INDEX } from '../../src/controllers/label-index.js';
import { bySelector } from '../../src/controllers/service-pods.js';
import { createStore } from '../../src/client/indexer.js';
import type { ClaimBinder } from '../../src/controllers/scheduler/claim-binder.js';
import { createSchedulerCache, type SchedulerCache } from '../../src/controllers/scheduler/cache.js';
import { createFramework, runPostFilters, type Framework } from '../../src/controllers/scheduler/framework.js';
import { createNominator, type Nominator } from '../../src/controllers/scheduler/nominator.js';
import { describe } from '../../src/controllers/scheduler/fit-error.js';
import { place } from '../../src/controllers/scheduler/place.js';
import { defaultPlugins } from '../../src/controllers/scheduler/plugins/index.js';
import { defaultPreemption } from '../../src/controllers/scheduler/plugins/default-preemption.js';
import { createPodInfo } from '../../src/controllers/scheduler/pod-info.js';
import { FakeClock } from '../../src/machinery/clock.js';
import type { KubeObject, Node, Pod, PodDisruptionBudget } from '../../src/machinery/types.js';
import { createFakeCluster } from './fake-cluster.js';
import { PODS } from '../../src/client/resources.js';

type Fields = Record<string, unknown>;

export interface NodeFacts {
  cpu?: string;
  memory?: string;
  pods?: string;
  labels?: Record<string, string>;
  taints?: unknown[];
  unschedulable?: boolean;
  images?: unknown[];
  allocatable?: Record<string, string>;
}
/** A node of 4 cpu and 8Gi that is named and labelled after its host. */
export const aNode = (name: string, facts: NodeFacts = {}): Node => {
  const { cpu = '4', memory = '8Gi', pods = '110', labels, taints, unschedulable, images, allocatable } = facts;
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, uid: `uid-${name}`, labels: { 'kubernetes.io/hostname': name, ...labels } },
    spec: { ...(taints === undefined ? {} : { taints }), ...(unschedulable === undefined ? {} : { unschedulable }) },
    status: {
      allocatable: { cpu, memory, pods, ...allocatable },
      ...(images === undefined ? {} : { images }),
      conditions: [{ type: 'Ready', status: 'True' }],
    },
  } as unknown as Node;
};

export interface PodFacts {
  node?: string;
  cpu?: string;
  memory?: string;
  priority?: number;
  labels?: Record<string, string>;
  namespace?: string;
  spec?: Fields;
  container?: Fields;
  status?: Fields;
  metadata?: Fields;
}
export const aPod = (name: string, facts: PodFacts = {}): Pod => {
  const { node = '', cpu, memory, priority, labels, namespace = 'default', spec, container, status, metadata } = facts;
  const requests = { ...(cpu === undefined ? {} : { cpu }), ...(memory === undefined ? {} : { memory }) };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, uid: `uid-${name}`, labels: labels ?? {}, ...metadata },
    spec: {
      containers: [{ name: 'c', image: 'i', resources: { requests }, ...container }],
      schedulerName: 'default-scheduler',
      ...(node === '' ? {} : { nodeName: node }),
      ...(priority === undefined ? {} : { priority }),
      ...spec,
    },
    status: status ?? {},
  };
};

/** What else is in the cluster. */
export interface Others {
  claims?: KubeObject[];
  volumes?: KubeObject[];
  classes?: KubeObject[];
  csiNodes?: KubeObject[];
  services?: KubeObject[];
  replicaSets?: KubeObject[];
  namespaces?: KubeObject[];
  resourceClaims?: KubeObject[];
  budgets?: PodDisruptionBudget[];
}

export interface Scheduling {
  readonly cache: SchedulerCache;
  readonly nominator: Nominator;
  readonly framework: Framework;
  /** The node, or why none; what is bound is bound. */
  schedule(pod: Pod): string;
}

const NO_BINDER: ClaimBinder = {
  isTaken: () => false,
  reserve: () => undefined,
  release: () => undefined,
  carryOut: async () => undefined,
};

/** A scheduler over a preloaded snapshot: no server, no queue. Equals are decided for the first. */
export function createScheduling(nodes: readonly Node[], pods: readonly Pod[], others: Others = {}): Scheduling {
  const listOf = (objects: readonly KubeObject[] = []) => {
    const store = createStore<KubeObject>();
    store.addIndex(SELECTING_INDEX, bySelector);
    for (const object of objects) store.put(object);
    return store as never;
  };
  const cache = createSchedulerCache();
  nodes.forEach(node => cache.setNode(node));
  pods.forEach(pod => cache.setPod(pod));
  const nominator = createNominator();
  const plugins = defaultPlugins({
    snapshot: cache,
    volumes: { claims: listOf(others.claims), volumes: listOf(others.volumes), classes: listOf(others.classes) },
    selectors: {
      services: listOf(others.services),
      replicaSets: listOf(others.replicaSets),
      replicationControllers: listOf(),
      statefulSets: listOf(),
    },
    namespaces: listOf(others.namespaces),
    csiNodes: listOf(others.csiNodes),
    resourceClaims: listOf(others.resourceClaims),
    deviceClasses: listOf(),
    binder: NO_BINDER,
  });
  const framework = createFramework(plugins, nominator);
  const cluster = createFakeCluster();
  const context = cluster.context();
  const preemption = defaultPreemption({
    snapshot: cache,
    nominator,
    budgets: listOf(others.budgets),
    cached: listOf(pods),
    pods: context.client.resource<Pod>(PODS),
    events: context.recorder(''),
    clock: new FakeClock(),
    random: () => 0,
    recheck: () => undefined,
    onError: () => undefined,
  });
  return {
    cache,
    nominator,
    framework,
    schedule(object) {
      const pod = createPodInfo(object);
      const nominated = nominator.nodeOf(pod.id);
      const placement = place(pod, { framework, snapshot: cache, nominated, startAt: 0, random: () => 0 });
      if ('diagnosis' in placement) {
        const { diagnosis, cycle } = placement;
        const { message } = runPostFilters(framework, preemption, cycle, pod, diagnosis);
        return describe(diagnosis, message);
      }
      cache.assume(pod, placement.node);
      return placement.node;
    },
  };
}
