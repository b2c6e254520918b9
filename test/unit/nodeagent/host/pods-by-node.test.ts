import t from 'tap';
import { PODS } from '../../../../src/client/resources.js';
import type { Pod } from '../../../../src/machinery/types.js';
import { podsByNode } from '../../../../src/nodeagent/host/pods-by-node.js';
import { createFakeCluster } from '../../../support/fake-cluster.js';

const podOn = (name: string, nodeName?: string): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', uid: name },
  spec: { containers: [], ...(nodeName === undefined ? {} : { nodeName }) },
});

t.test('each node sees its own Pods, and is told of no other', async t => {
  const cluster = createFakeCluster();
  cluster.load(PODS, podOn('a', 'node-1'), podOn('b', 'node-2'), podOn('waiting'));
  const context = cluster.context();
  const viewOf = podsByNode(context.informers.informer<Pod>(PODS));
  const told: string[] = [];
  const first = viewOf('node-1');
  const stop = first.addHandler({
    add: pod => told.push(`add ${pod.metadata.name ?? ''}`),
    update: (_old, pod) => told.push(`update ${pod.metadata.name ?? ''}`),
    delete: pod => told.push(`delete ${pod.metadata.name ?? ''}`),
  });
  t.same(told, ['add a'], 'those that are there');
  t.same(
    [...first.indexer.list()].map(pod => pod.metadata.name),
    ['a'],
  );
  t.equal(first.indexer.get('default/b'), undefined, 'another node has it');
  t.same(
    viewOf('node-2')
      .indexer.byIndex('namespace', 'default')
      .map(pod => pod.metadata.name),
    ['b'],
  );

  const pods = context.client.resource<Pod>(PODS);
  const steps: { readonly name: string; readonly change: () => Promise<unknown>; readonly expect: string[] }[] = [
    { name: 'bound', change: async () => cluster.load(PODS, podOn('waiting', 'node-1')), expect: ['add waiting'] },
    { name: 'changed', change: async () => cluster.load(PODS, podOn('a', 'node-1')), expect: ['update a'] },
    { name: 'another node', change: async () => cluster.load(PODS, podOn('b', 'node-2')), expect: [] },
    { name: 'gone', change: () => pods.delete({ namespace: 'default', name: 'a' }), expect: ['delete a'] },
    {
      name: 'nobody listens any more',
      change: async () => {
        stop();
        cluster.load(PODS, podOn('c', 'node-1'));
      },
      expect: [],
    },
  ];
  for (const { name, change, expect } of steps) {
    told.length = 0;
    await change();
    t.same(told, expect, name);
  }
});
