import t from 'tap';
import type { ProxyMode } from '../../../src/dataplane/proxiers/modes.js';
import type { Flow, NetworkStep } from '../../../src/containers/network/types.js';
import { answerOf, ask, service, slice, twoNodes, whoAmI } from '../../support/two-nodes.js';

const OUTSIDE = '172.18.0.1';
const [NODE_1, NODE_2] = ['172.18.0.2', '172.18.0.3'];
const CLUSTER_IP = '10.96.0.30';
const POD_2 = '10.244.2.2';
const TCP = 30080;
const UDP = 30053;

/** External policy Local, and both endpoints on the second node. */
const LOCAL = {
  services: [
    service('web', {
      type: 'NodePort',
      externalTrafficPolicy: 'Local',
      clusterIP: CLUSTER_IP,
      ports: [{ port: 80, protocol: 'TCP', nodePort: TCP }],
    }),
    service('dns', {
      type: 'NodePort',
      externalTrafficPolicy: 'Local',
      clusterIP: '10.96.0.31',
      ports: [{ port: 53, protocol: 'UDP', nodePort: UDP }],
    }),
  ],
  slices: [slice('web', 'TCP', 8080, [POD_2, 'node-2']), slice('dns', 'UDP', 5353, [POD_2, 'node-2'])],
};

const fromOutside = (proto: 'tcp' | 'udp', dst: string, dstPort: number): Flow => ({
  proto,
  src: OUTSIDE,
  srcPort: 40_000 + Math.floor(dstPort % 1000),
  dst,
  dstPort,
});

async function shop(options: Parameters<typeof twoNodes>[0]) {
  const { one, two, close } = await twoNodes(options);
  const pods = {
    a: one.network.attach(['10.244.1.2'], 'pod default/a'),
    b: two.network.attach([POD_2], 'pod default/b'),
    c: two.network.attach(['10.244.2.3'], 'pod default/c'),
  };
  whoAmI(pods.b, 8080);
  const received: string[] = [];
  pods.b.listenUdp(5353, payload => {
    received.push(payload.toString());
    return Buffer.from('pong');
  });
  const outside = (address: string, port = TCP): Promise<string> =>
    answerOf(one.network.acceptTcp(fromOutside('tcp', address, port), { timeoutMs: 100 }));
  return { one, two, pods, received, outside, close };
}

t.test(
  'ipvs, external policy Local: without an endpoint here IPVS sends to another node, which answers past this one',
  async t => {
    const { one, two, pods, received, outside, close } = await shop({ ...LOCAL, mode: 'ipvs' });
    const rows: readonly { name: string; from: () => Promise<string>; expect: string }[] = [
      { name: 'from outside', from: () => outside(NODE_1), expect: 'ETIMEDOUT' },
      {
        name: 'from outside to the node that has the endpoint',
        from: () => answerOf(two.network.acceptTcp(fromOutside('tcp', NODE_2, TCP), {})),
        expect: `${OUTSIDE} -> ${POD_2}:8080`,
      },
      {
        name: 'from a Pod here: the answer comes by here',
        from: () => ask(pods.a, NODE_1, TCP),
        expect: `10.244.1.2 -> ${POD_2}:8080`,
      },
      {
        name: 'from the node itself',
        from: () => ask(one.network.node, NODE_1, TCP),
        expect: `${NODE_1} -> ${POD_2}:8080`,
      },
      { name: 'from a Pod beside the endpoint', from: () => ask(pods.c, NODE_1, TCP), expect: 'ETIMEDOUT' },
      { name: 'from the other node', from: () => ask(two.network.node, NODE_1, TCP), expect: 'ETIMEDOUT' },
    ];
    for (const { name, from, expect } of rows) t.equal(await from(), expect, name);

    const datagram = one.network.acceptUdp(fromOutside('udp', NODE_1, UDP), Buffer.from('ping'), { timeoutMs: 100 });
    await t.rejects(datagram, { code: 'ETIMEDOUT' });
    t.same(received, ['ping'], 'a datagram comes, and its answer is lost');

    const steps: NetworkStep[] = [];
    const traced = one.network.acceptTcp(fromOutside('tcp', NODE_1, TCP), { observe: step => steps.push(step) });
    await t.rejects(traced, { code: 'ETIMEDOUT', detail: 'the answer goes past the node that chose who answers' });
    t.match(steps.at(-1), {
      kind: 'fail',
      node: 'node-1',
      code: 'ETIMEDOUT',
      message: `${POD_2}:8080 answers ${OUTSIDE} past this node, which has sent there what was for ${NODE_1}:${TCP}: no answer will be known`,
    });
    close();
  },
);

const MODES: readonly { mode: ProxyMode; expect: string; why: string }[] = [
  { mode: 'iptables', expect: 'ETIMEDOUT', why: 'a rule drops it' },
  { mode: 'nftables', expect: 'ETIMEDOUT', why: 'a rule drops it' },
  { mode: 'ipvs', expect: 'ETIMEDOUT', why: 'the answer is lost' },
];
for (const { mode, expect, why } of MODES)
  t.test(`${mode}, external policy Local, no endpoint here: ${why}`, async t => {
    const { one, outside, close } = await shop({ ...LOCAL, mode });
    t.equal(await outside(NODE_1), expect);
    const steps: NetworkStep[] = [];
    await t.rejects(one.network.acceptTcp(fromOutside('tcp', NODE_1, TCP), { observe: step => steps.push(step) }), {
      code: 'ETIMEDOUT',
      detail: mode === 'ipvs' ? /goes past/ : 'dropped',
    });
    close();
  });

for (const mode of ['iptables', 'nftables', 'ipvs'] as const)
  t.test(`${mode}: a ClusterIP from outside, with and without masquerading`, async t => {
    const with_ = await shop({ ...LOCAL, mode });
    t.equal(await with_.outside(CLUSTER_IP, 80), `${NODE_1} -> ${POD_2}:8080`);
    with_.close();
    const without = await shop({ ...LOCAL, mode, masqueradesNothing: true });
    t.equal(await without.outside(CLUSTER_IP, 80), 'ETIMEDOUT');
    t.equal(await ask(without.pods.a, CLUSTER_IP, 80), `10.244.1.2 -> ${POD_2}:8080`, 'a Pod of this node');
    without.close();
  });
