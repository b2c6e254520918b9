import t from 'tap';
import { endpointsText } from '../../../../src/cmd/up/narrator/endpoints.js';
import { eventLine } from '../../../../src/cmd/up/narrator/event-line.js';
import { startNarrator } from '../../../../src/cmd/up/narrator/narrator.js';
import { NARRATED } from '../../../../src/cmd/up/narrator/states.js';
import { syncLine } from '../../../../src/cmd/up/narrator/sync-line.js';
import { plain } from '../../../../src/cmd/up/narrator/text.js';
import { realClock } from '../../../../src/machinery/clock.js';
import type { CoreEvent, EndpointSlice } from '../../../../src/machinery/types.js';
import { Cluster } from '../../../../src/testing/index.js';
import { eventually } from '../../../support/up.js';

t.test('an Event is a line', t => {
  const pod = { kind: 'Pod', namespace: 'default', name: 'web-1' };
  const container = { ...pod, fieldPath: 'spec.containers{nginx}' };
  for (const [event, expect] of [
    [
      { involvedObject: pod, reason: 'Scheduled', message: 'Successfully assigned default/web-1 to node-2' },
      'pod/default/web-1 Scheduled to node-2',
    ],
    [{ involvedObject: container, reason: 'Started', message: 'Container started' }, 'pod/default/web-1 nginx Started'],
    [
      {
        involvedObject: { kind: 'ReplicaSet', namespace: 'a', name: 'b' },
        reason: 'SuccessfulCreate',
        message: 'Created pod: b-x',
      },
      'replicaset/a/b SuccessfulCreate: b-x',
    ],
    [
      { involvedObject: container, type: 'Warning', reason: 'BackOff', message: 'Back-off restarting', count: 5 },
      'pod/default/web-1 nginx BackOff: Back-off restarting (5 times)',
    ],
    [
      { involvedObject: pod, reason: 'X', message: 'again', series: { count: 3 } },
      'pod/default/web-1 X: again (3 times)',
    ],
    [
      { involvedObject: { kind: 'Node', name: 'node-1' }, reason: 'NodeReady', message: 'yes' },
      'node/node-1 NodeReady: yes',
    ],
    [{ involvedObject: pod, reason: 'Killing', message: 'Stopping' }, 'pod/default/web-1 Killing'],
    [{ involvedObject: {}, message: 'forged\n12:00:00 \u001b[31mred\u009b2J' }, '/ : forged 12:00:00  [31mred 2J'],
  ] as const)
    t.equal(eventLine(event as unknown as CoreEvent), expect);
  t.equal(plain('x'.repeat(1_000)).length, 241);
  t.end();
});

t.test('an object is some words', t => {
  const stateOf = (kind: string, object: object): string | undefined =>
    NARRATED.find(one => one.kind === kind)?.state({ metadata: {}, ...object });
  for (const [kind, object, expect] of [
    ['Pod', { status: { phase: 'Pending' } }, undefined],
    ['Pod', { status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'False' }] } }, 'not Ready'],
    [
      'Pod',
      { status: { phase: 'Running', podIP: '10.244.0.2', conditions: [{ type: 'Ready', status: 'True' }] } },
      'Ready at 10.244.0.2',
    ],
    ['Pod', { metadata: { deletionTimestamp: 'x' }, status: { phase: 'Running' } }, 'being deleted'],
    [
      'Pod',
      { status: { phase: 'Failed', containerStatuses: [{ state: { terminated: { exitCode: 3 } } }] } },
      'Failed, exit code 3',
    ],
    ['Pod', { status: { phase: 'Failed', reason: 'Evicted' } }, 'Failed (Evicted), exit code ?'],
    [
      'Service',
      { spec: { type: 'NodePort', clusterIP: '10.96.0.7', ports: [{ port: 80, nodePort: 30080 }, { port: 81 }] } },
      'NodePort at 10.96.0.7, port 80:30080, 81',
    ],
    ['Service', { spec: { type: 'ExternalName', externalName: 'example.com' } }, 'ExternalName at example.com'],
    [
      'Service',
      { spec: { type: 'LoadBalancer', clusterIP: 'a' }, status: { loadBalancer: { ingress: [{ ip: 'b' }] } } },
      'LoadBalancer at a, outside at b',
    ],
    ['Deployment', { spec: { replicas: 3 }, status: { availableReplicas: 1 } }, '1 of 3 available'],
    ['StatefulSet', { spec: { replicas: 1 } }, '0 of 1 ready'],
    ['DaemonSet', { status: { numberReady: 1, desiredNumberScheduled: 2 } }, '1 of 2 ready'],
    ['DaemonSet', {}, undefined],
    ['Job', { status: { conditions: [{ type: 'Complete', status: 'True' }] } }, 'Complete'],
    [
      'Job',
      { status: { conditions: [{ type: 'Failed', status: 'True', reason: 'DeadlineExceeded' }] } },
      'Failed (DeadlineExceeded)',
    ],
    ['Node', {}, undefined],
    ['Node', { status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } }, 'NotReady'],
    [
      'Node',
      { spec: { unschedulable: true }, status: { conditions: [{ type: 'Ready', status: 'True' }] } },
      'Ready, cordoned',
    ],
    ['PersistentVolumeClaim', { status: { phase: 'Bound' } }, 'Bound'],
    ['Namespace', { status: { phase: 'Terminating' } }, 'Terminating'],
  ] as const)
    t.equal(stateOf(kind, object), expect, `${kind} ${JSON.stringify(object)}`);
  t.end();
});

t.test('endpoints are counted, of all slices', t => {
  const slice = (...endpoints: object[]) => ({ endpoints }) as unknown as EndpointSlice;
  const at = (address: string, ready?: boolean, uid?: string) => ({
    addresses: [address],
    conditions: ready === undefined ? {} : { ready },
    ...(uid === undefined ? {} : { targetRef: { uid } }),
  });
  for (const [slices, expect] of [
    [[], 'no endpoints'],
    [[slice(at('a'))], '1 endpoint'],
    [[slice(at('a', true), at('b', false)), slice(at('c'))], '2 endpoints (1 not ready)'],
    [[slice(at('a', true, 'u')), slice(at('::a', true, 'u'))], '1 endpoint'],
  ] as const)
    t.equal(endpointsText(slices), expect);
  t.end();
});

t.test('a sync is a line, with what caused it', t => {
  const sync = { time: '', family: 'IPv4', full: false, milliseconds: 1.23, causes: [], moreCauses: 0 } as const;
  const cause = (name: string) => ({ event: 'ADDED', kind: 'Service', namespace: 'a', name }) as const;
  t.equal(syncLine('n', sync), undefined, 'nothing was asked for');
  t.equal(
    syncLine('n', { ...sync, causes: [cause('x'), cause('x')] }),
    'proxy of n: partial sync of IPv4 in 1.2 ms for Service a/x',
  );
  t.equal(
    syncLine('n', { ...sync, full: true, causes: ['a', 'b', 'c', 'd'].map(cause), moreCauses: 2 }),
    'proxy of n: full sync of IPv4 in 1.2 ms for Service a/a, Service a/b, Service a/c and 3 more',
  );
  t.equal(syncLine('n', { ...sync, error: 'no' }), 'proxy of n: sync of IPv4 failed: no');
  t.end();
});

t.test('of a cluster what happens is told, not what was', async t => {
  const cluster = await Cluster.create({ nodes: 1 });
  t.teardown(() => cluster.stop());
  await cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'before' } });
  const lines: string[] = [];
  const narrator = startNarrator({
    config: { ...cluster.config, insecureSkipTlsVerify: false, namespace: 'default' },
    clock: realClock,
    say: line => void lines.push(line),
  });
  t.teardown(() => narrator.close());
  // Until it listens nothing is told.
  let n = 0;
  const mark = async (): Promise<string[]> => {
    await cluster.namespace(`mark-${n++}`);
    return lines;
  };
  await eventually('it tells', mark, told => told.some(line => line.includes('Namespace mark-')));
  await cluster.apply(`
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: nginx}]}}
`);
  await cluster.waitFor('deployment/web', 'Available');
  for (const pattern of [
    /^\d\d:\d\d:\d\d pod\/default\/web-\S+ Scheduled to node-1$/,
    /^\d\d:\d\d:\d\d Pod default\/web-\S+: Ready at 10\.244\./,
    /^\d\d:\d\d:\d\d Service default\/web: 2 endpoints$/,
    /^\d\d:\d\d:\d\d Deployment default\/web: 2 of 2 available$/,
    /^\d\d:\d\d:\d\d proxy of node-1: .* for .*Service default\/web/,
  ])
    t.ok(
      await eventually(
        String(pattern),
        () => Promise.resolve(lines),
        told => told.some(line => pattern.test(line)),
      ),
      String(pattern),
    );
  t.notMatch(lines.join('\n'), /before|kube-dns/);
});
