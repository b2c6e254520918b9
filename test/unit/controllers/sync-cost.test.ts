import t from 'tap';
import {
  DAEMON_SETS,
  JOBS,
  NODES,
  POD_DISRUPTION_BUDGETS,
  PODS,
  REPLICA_SETS,
  REPLICATION_CONTROLLERS,
  SERVICES,
  STATEFUL_SETS,
} from '../../../src/client/resources.js';
import type { Indexer, Informer, InformerFactory, ResourceRef } from '../../../src/client/types.js';
import type { ControllerDefinition } from '../../../src/controllers/controller.js';
import { daemonSetController } from '../../../src/controllers/daemonset/controller.js';
import { disruptionController } from '../../../src/controllers/disruption/controller.js';
import { endpointsController } from '../../../src/controllers/endpoints/controller.js';
import { endpointSliceController } from '../../../src/controllers/endpointslice/controller.js';
import { jobController } from '../../../src/controllers/job/controller.js';
import { replicaSetController } from '../../../src/controllers/replicaset/controller.js';
import { replicationControllerController } from '../../../src/controllers/replicationcontroller/controller.js';
import { statefulSetController } from '../../../src/controllers/statefulset/controller.js';
import type { KubeObject } from '../../../src/machinery/types.js';
import { node, pod, service } from '../../support/controlled-objects.js';
import { createFakeCluster } from '../../support/fake-cluster.js';
import { meta, template } from '../../support/workloads.js';

/** Objects that an indexer has handed out, one by one or all. */
interface Looks {
  count: number;
}

const counting = (informers: InformerFactory, looks: Looks): InformerFactory => ({
  ...informers,
  informer<T extends KubeObject>(ref: ResourceRef): Informer<T> {
    const informer = informers.informer<T>(ref);
    const { indexer } = informer;
    const counted: Indexer<T> = {
      ...indexer,
      *list() {
        for (const object of indexer.list()) {
          looks.count++;
          yield object;
        }
      },
      byIndex(name, value) {
        const found = indexer.byIndex(name, value);
        looks.count += found.length;
        return found;
      },
    };
    return { ...informer, indexer: counted };
  },
});

const STRANGERS = 400;
const OWN = 3;
/** Of its own, looked at several times in one sync; the strangers are a hundred times more. */
const MANY = 40;

const workload = (kind: string, spec: object): KubeObject => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: meta('own'),
  spec: { replicas: OWN, selector: { matchLabels: { app: 'own' } }, template: template({ app: 'own' }), ...spec },
});

const CASES: readonly {
  readonly name: string;
  readonly definition: ControllerDefinition;
  readonly ref: ResourceRef;
  readonly object: KubeObject;
}[] = [
  { name: 'ReplicaSet', definition: replicaSetController, ref: REPLICA_SETS, object: workload('ReplicaSet', {}) },
  {
    name: 'ReplicationController',
    definition: replicationControllerController,
    ref: REPLICATION_CONTROLLERS,
    object: { ...workload('ReplicationController', { selector: { app: 'own' } }), apiVersion: 'v1' },
  },
  {
    name: 'StatefulSet',
    definition: statefulSetController,
    ref: STATEFUL_SETS,
    object: workload('StatefulSet', { serviceName: 'own', updateStrategy: { type: 'RollingUpdate' } }),
  },
  {
    name: 'DaemonSet',
    definition: daemonSetController,
    ref: DAEMON_SETS,
    object: workload('DaemonSet', { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1 } } }),
  },
  {
    name: 'Job',
    definition: jobController,
    ref: JOBS,
    object: {
      ...workload('Job', { parallelism: OWN, completions: OWN, backoffLimit: 6, completionMode: 'NonIndexed' }),
      apiVersion: 'batch/v1',
    },
  },
  {
    name: 'EndpointSlices of a Service',
    definition: endpointSliceController,
    ref: SERVICES,
    object: { ...service({ selector: { tier: 'all', app: 'own' } }), metadata: meta('own') },
  },
  {
    name: 'Endpoints of a Service',
    definition: endpointsController,
    ref: SERVICES,
    object: { ...service({ selector: { tier: 'all', app: 'own' } }), metadata: meta('own') },
  },
  {
    name: 'PodDisruptionBudget',
    definition: disruptionController,
    ref: POD_DISRUPTION_BUDGETS,
    object: {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: meta('own'),
      spec: { minAvailable: 1, selector: { matchLabels: { tier: 'all', app: 'own' } } },
    },
  },
];

t.test('what a sync looks at follows what is its own, and not the namespace', async t => {
  for (const { name, definition, ref, object } of CASES)
    t.test(name, async t => {
      const cluster = createFakeCluster();
      cluster.load(NODES, node('n1'));
      const strangers = Array.from({ length: STRANGERS }, (_, i) =>
        pod({ name: `stranger-${i}`, ip: `10.0.1.${i}`, owner: 'stranger', labels: { tier: 'all', app: 'stranger' } }),
      );
      cluster.load(PODS, ...strangers);
      for (let i = 0; i < OWN; i++)
        cluster.load(
          PODS,
          pod({ name: `own-${i}`, ip: `10.0.0.${i + 1}`, owner: 'own', labels: { tier: 'all', app: 'own' } }),
        );
      cluster.load(ref, object);
      const looks = { count: 0 };
      const context = cluster.context();
      const reconciler = definition.build({ ...context, informers: counting(context.informers, looks) });
      looks.count = 0;
      await reconciler.reconcile('default/own');
      t.ok(looks.count > 0, 'it looks at something');
      t.ok(looks.count < MANY, `it looks at ${looks.count} objects`);
      looks.count = 0;
      cluster.load(PODS, pod({ name: 'stranger-0', ip: '10.0.1.0', owner: 'stranger', phase: 'Failed' }));
      t.ok(looks.count < MANY, `a stranger's change makes it look at ${looks.count} objects`);
    });
});
