import t, { type Test } from 'tap';
import { Cluster, type ApiObject } from '../../../src/testing/index.js';

// Whole clusters, on a machine that runs others beside them.
t.setTimeout(240_000);

const READY = `
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: { name: pod-ready }
spec:
  resourceRef: { apiGroup: v1, kind: Pod }
  selector:
    matchLabels: { app: web }
    matchExpressions:
    - { key: '.metadata.deletionTimestamp', operator: DoesNotExist }
    - { key: '.status.conditions.[] | select( .type == "Ready" ) | .status', operator: NotIn, values: ['True'] }
  delay: { durationMilliseconds: 20000 }
  next:
    statusTemplate: |
      {{ $now := Now }}
      conditions:
      - { type: Ready, status: "True", lastTransitionTime: {{ $now | Quote }} }
      - { type: ContainersReady, status: "True", lastTransitionTime: {{ $now | Quote }} }
      containerStatuses:
      {{ range .spec.containers }}
      - image: {{ .image | Quote }}
        imageID: ""
        name: {{ .name | Quote }}
        ready: true
        restartCount: 0
        state:
          running:
            startedAt: {{ $now | Quote }}
      {{ end }}
      podIP: {{ PodIPWith .spec.nodeName ( or .spec.hostNetwork false ) ( or .metadata.uid "" ) | Quote }}
      phase: Running
      startTime: {{ $now | Quote }}
`;
const NOT_READY = `
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: { name: node-not-ready }
spec:
  resourceRef: { apiGroup: v1, kind: Node }
  selector:
    matchLabels: { broken: 'true' }
    matchExpressions:
    - { key: '.status.phase', operator: In, values: [Running] }
  delay: { durationMilliseconds: 1000 }
  next:
    statusTemplate: |
      conditions:
      {{ range NodeConditions }}
      {{ if eq .type "Ready" }}
      - { type: Ready, status: "False", reason: Broken, message: told so, lastTransitionTime: {{ Now | Quote }}, lastHeartbeatTime: {{ Now | Quote }} }
      {{ end }}
      {{ end }}
`;

async function create(t: Test): Promise<Cluster> {
  const cluster = await Cluster.create({ seed: 1, clock: 'virtual', behaviour: `${READY}---${NOT_READY}` });
  t.teardown(() => cluster.stop());
  return cluster;
}

t.test('Pods and Nodes go the way of their Stages', async t => {
  const cluster = await create(t);
  const deployment: ApiObject = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'nginx' }] } },
    },
  };
  await cluster.apply(deployment);
  await cluster.clock.advance('15s');
  const ready = async (): Promise<unknown> =>
    ((await cluster.apply(deployment))[0]?.['status'] as { readyReplicas?: number } | undefined)?.readyReplicas;
  t.equal(await ready(), undefined, 'not yet');
  await cluster.clock.advance('10s');
  t.equal(await ready(), 2);

  const node = (): Promise<ApiObject | undefined> => cluster.waitFor('node/node-1', () => true);
  const readiness = async (): Promise<object | undefined> =>
    ((await node())?.['status'] as { conditions: { type: string }[] }).conditions.find(({ type }) => type === 'Ready');
  const label = (broken: string): Promise<unknown> =>
    cluster.apply({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1', labels: { broken } } });
  await label('true');
  await cluster.clock.advance('5s');
  t.match(await readiness(), { status: 'False', reason: 'Broken', message: 'told so' });
  await cluster.clock.advance('1m');
  t.match(await readiness(), { status: 'False' }, 'its agent keeps its own to itself');
  await label('false');
  await cluster.clock.advance('11s');
  t.match(await readiness(), { status: 'True', reason: 'KubeletReady' });
});
