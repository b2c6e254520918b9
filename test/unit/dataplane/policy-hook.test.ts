import t from 'tap';
import { createKernel } from '../../../src/dataplane/kernel/kernel.js';
import type { ConnectRequest } from '../../../src/dataplane/kernel/types.js';
import { policyHook } from '../../../src/dataplane/policies/policy-hook.js';
import { restore } from '../../../src/dataplane/tools/iptables/restore.js';
import { FakeClock } from '../../../src/machinery/clock.js';
import { hostRoutes } from '../../support/host-routes.js';
import { indexOf, namespaceObject, podObject, policyObject, setPolicy } from '../../support/policies.js';

const NODE = '172.18.0.2';
const WEB = '10.244.1.2';
const CLIENT = '10.244.1.3';
const FAR = '10.244.2.4';
const SERVICE = '10.96.0.10';

/** A node with the Pods "web" and "client", and a Service of "web" whose clients are masqueraded. */
function startNode() {
  const index = indexOf({
    namespaces: [namespaceObject('shop')],
    pods: [
      podObject('shop/web', [WEB], { labels: { app: 'web' } }),
      podObject('shop/client', [CLIENT], { labels: { app: 'client' } }),
      podObject('shop/far', [FAR], { labels: { app: 'client' }, node: 'there' }),
    ],
    policies: [],
  });
  const kernel = createKernel({
    clock: new FakeClock(),
    random: () => 0,
    routes: hostRoutes(NODE),
    hooks: [policyHook(packet => index.judge(packet, 'here'))],
  });
  restore(
    kernel,
    `*nat\n-A PREROUTING -d ${SERVICE}/32 -p tcp -j DNAT --to-destination ${WEB}:8080\n-A POSTROUTING -j MASQUERADE\nCOMMIT\n`,
  );
  const connect = (src: string, dst: string, dstPort: number, more: Partial<ConnectRequest> = {}) =>
    kernel.connect({ proto: 'tcp', src, srcPort: 40_000, dst, dstPort, hook: 'prerouting', ...more });
  return { index, kernel, connect };
}
const fromClients = {
  podSelector: { matchLabels: { app: 'web' } },
  ingress: [{ from: [{ podSelector: { matchLabels: { app: 'client' } } }], ports: [{ port: 8080 }] }],
};

t.test('a packet is judged behind the choice of its destination and before its source changes', async t => {
  const { index, connect } = startNode();
  setPolicy(index, policyObject('shop/p', fromClients));
  const rows = [
    { name: 'through the Service', src: CLIENT, dst: SERVICE, port: 80, verdict: 'accept' },
    { name: 'to the Pod', src: FAR, dst: WEB, port: 8080, verdict: 'accept' },
    { name: 'to another port', src: CLIENT, dst: WEB, port: 80, verdict: 'drop' },
    { name: 'from another node, which hides who it was', src: '172.18.0.3', dst: WEB, port: 8080, verdict: 'drop' },
    { name: 'what no policy is about', src: WEB, dst: CLIENT, port: 80, verdict: 'accept' },
  ];
  for (const { name, src, dst, port, verdict } of rows) t.equal(connect(src, dst, port).verdict, verdict, name);
  const node = connect(NODE, WEB, 80, { hook: 'output' });
  t.equal(node.verdict, 'accept', 'the node itself, for its probes');
});

t.test('a connection is asked about once', async t => {
  const { index, connect, kernel } = startNode();
  const open = connect(CLIENT, WEB, 8080);
  t.equal(open.reply().verdict, 'accept');
  setPolicy(index, policyObject('shop/none', { podSelector: {}, policyTypes: ['Ingress', 'Egress'] }));
  t.equal(open.send().verdict, 'accept', 'it goes on');
  t.equal(open.reply().verdict, 'accept', 'both ways');
  t.equal(connect(CLIENT, WEB, 8080, { srcPort: 40_001 }).verdict, 'drop', 'a new one does not begin');
  index.removePolicy({ namespace: 'shop', name: 'none' });

  const asked = connect(CLIENT, WEB, 53, { proto: 'udp', srcPort: 40_002 });
  setPolicy(index, policyObject('shop/none', { podSelector: {}, policyTypes: ['Ingress'] }));
  t.equal(asked.send().verdict, 'drop', 'what nobody has answered yet is no connection');
  t.notOk(
    kernel.conntrack().some(({ original }) => original.srcPort === 40_001),
    'what was dropped is not remembered',
  );
});

t.test('the trace names the object to change', async t => {
  const { index, connect } = startNode();
  setPolicy(index, policyObject('shop/p', fromClients));
  const lines = (dryRun: boolean, dst: string, port: number) =>
    connect(CLIENT, dst, port, { dryRun }).trace.filter(({ kind }) => kind === 'networkPolicy');
  const origin = { kind: 'NetworkPolicy', namespace: 'shop', name: 'p' } as const;
  t.same(lines(false, SERVICE, 80), [
    {
      kind: 'networkPolicy',
      hook: 'postrouting',
      effect: 'NetworkPolicy shop/p allows it: ingress rule 1 for shop/web',
      origin,
    },
  ]);
  t.match(lines(true, WEB, 80), [
    {
      effect: /^drop: NetworkPolicy shop\/p selects shop\/web for ingress, and none of its rules allows tcp from/,
      origin,
    },
  ]);
});

t.test('the stack of the other family asks the same', async t => {
  const [web, client] = ['fd00:10:244::2', 'fd00:10:244::3'];
  const index = indexOf({
    namespaces: [namespaceObject('shop')],
    pods: [
      podObject('shop/web', [WEB, web], { labels: { app: 'web' } }),
      podObject('shop/client', [CLIENT, client], { labels: { app: 'client' } }),
    ],
    policies: [policyObject('shop/p', fromClients)],
  });
  const kernel = createKernel({
    clock: new FakeClock(),
    random: () => 0,
    routes: hostRoutes('fc00:f853::2'),
    hooks: [policyHook(packet => index.judge(packet, 'here'))],
  });
  const verdict = (src: string, dstPort: number): string =>
    kernel.connect({ proto: 'tcp', src, srcPort: 1, dst: web, dstPort, hook: 'prerouting' }).verdict;
  t.equal(verdict(client, 8080), 'accept');
  t.equal(verdict(client, 80), 'drop');
  t.equal(verdict('2001:db8::1', 8080), 'drop');
});
