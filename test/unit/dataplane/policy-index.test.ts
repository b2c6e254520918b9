import t from 'tap';
import { compilePolicy } from '../../../src/dataplane/policies/compile-policy.js';
import { findingText } from '../../../src/dataplane/policies/judgement-text.js';
import {
  indexOf,
  namespaceObject,
  packetOf,
  podObject,
  policyObject,
  setPolicy,
  verdictOf,
} from '../../support/policies.js';
import {
  ALLOWED,
  CLIENT,
  DB,
  DENIED,
  fromPeers,
  namespaces,
  OTHER,
  pods,
  TO_WEB,
  WEB,
  web,
  WEB6,
  type Spec,
} from '../../support/policy-shop.js';

t.test('policies add up, and what two nodes ask', async t => {
  const deny: Spec = { podSelector: {}, policyTypes: ['Ingress'] };
  const policies = [
    policyObject('shop/deny', deny),
    policyObject('shop/allow-http', { podSelector: web, ingress: [{ ports: [{ port: 'http' }] }] }),
    policyObject('ops/deny', deny),
  ];
  const index = indexOf({ namespaces, pods, policies });
  const rows = [
    { name: 'one of two allows', packet: `tcp ${CLIENT} ${WEB} 8080`, expect: 'ingress allowed by shop/allow-http 1' },
    { name: 'neither does', packet: TO_WEB, expect: 'ingress denied by shop/allow-http,shop/deny' },
    {
      name: 'a selected Pod of this node to one elsewhere',
      packet: `tcp ${WEB} ${DB} 1`,
      expect: 'ingress denied by ops/deny',
    },
    { name: 'two Pods of another node', packet: `tcp ${OTHER} ${DB} 1`, expect: 'open' },
    { name: 'from outside to another node’s Pod', packet: `tcp 192.0.2.1 ${DB} 1`, expect: 'open' },
  ];
  for (const { name, packet, expect } of rows) t.equal(verdictOf(index.judge(packetOf(packet), 'here')), expect, name);
});

t.test('changes count at once', async t => {
  const index = indexOf({
    namespaces,
    pods,
    policies: [policyObject('shop/p', fromPeers({ namespaceSelector: { matchLabels: { team: 'b' } } }))],
  });
  const packet = `tcp ${OTHER} ${WEB} 80`;
  const steps: { name: string; change: () => void; packet?: string; expect: string }[] = [
    { name: 'before', change: () => undefined, expect: ALLOWED },
    { name: 'a namespace loses its label', change: () => index.setNamespace(namespaceObject('ops')), expect: DENIED },
    {
      name: 'and has it again',
      change: () => index.setNamespace(namespaceObject('ops', { team: 'b' })),
      expect: ALLOWED,
    },
    { name: 'a namespace goes', change: () => index.removeNamespace('ops'), expect: DENIED },
    {
      name: 'the Pod is no longer selected',
      change: () => index.setPod(podObject('shop/web', [WEB], { labels: { app: 'x' } })),
      expect: 'open',
    },
    {
      name: 'but by a new policy',
      change: () => setPolicy(index, policyObject('shop/q', { podSelector: { matchLabels: { app: 'x' } } })),
      expect: 'ingress denied by shop/q',
    },
    {
      name: 'which changes',
      change: () => setPolicy(index, policyObject('shop/q', { podSelector: {}, ingress: [{}] })),
      expect: 'ingress allowed by shop/q 1',
    },
    {
      name: 'the Pod has another address',
      change: () => index.setPod(podObject('shop/web', ['10.244.1.9'], { labels: { app: 'x' } })),
      expect: 'open',
    },
    {
      name: 'at which it is found',
      change: () => undefined,
      packet: `tcp ${OTHER} 10.244.1.9 1`,
      expect: 'ingress allowed by shop/q 1',
    },
    {
      name: 'the policies go',
      change: () => ['p', 'q'].forEach(name => index.removePolicy({ namespace: 'shop', name })),
      expect: 'open',
    },
    {
      name: 'and one comes back',
      change: () => setPolicy(index, policyObject('shop/p', { podSelector: {} })),
      packet: `tcp ${OTHER} 10.244.1.9 1`,
      expect: DENIED,
    },
    {
      name: 'the Pod goes',
      change: () => index.removePod({ namespace: 'shop', name: 'web' }),
      packet: `tcp ${OTHER} 10.244.1.9 1`,
      expect: 'open',
    },
  ];
  for (const step of steps) {
    step.change();
    t.equal(verdictOf(index.judge(packetOf(step.packet ?? packet), 'here')), step.expect, step.name);
  }
});

t.test('of an address that several Pods say they have', async t => {
  const RANKS = ['Failed', 'Succeeded', 'Pending', 'Running'];
  const rows: { name: string; holders: readonly [name: string, phase: string][]; expect: string }[] = [
    ...RANKS.flatMap((worse, i) =>
      RANKS.slice(i + 1)
        .filter(better => !(worse === 'Failed' && better === 'Succeeded'))
        .flatMap(better => [
          { name: `${better} before ${worse}`, holders: [['a', worse] as const, ['b', better] as const], expect: 'b' },
          {
            name: `${better} before ${worse}, filed first`,
            holders: [['b', better] as const, ['a', worse] as const],
            expect: 'b',
          },
        ])
        .map(row => ({ ...row, holders: row.holders.map(([name, phase]): [string, string] => [name, phase]) })),
    ),
    {
      name: 'alike: the first by name',
      holders: [
        ['a', 'Failed'],
        ['b', 'Succeeded'],
      ],
      expect: 'a',
    },
    {
      name: 'alike, filed in the other order',
      holders: [
        ['b', 'Running'],
        ['a', 'Running'],
      ],
      expect: 'a',
    },
  ];
  for (const { name, holders, expect } of rows) {
    const index = indexOf({
      namespaces,
      pods: holders.map(([pod, phase]) => podObject(`shop/${pod}`, [WEB], { labels: { pod }, phase })),
      policies: [policyObject('shop/p', { podSelector: {} })],
    });
    t.equal(index.judge(packetOf(`tcp 192.0.2.1 ${WEB} 80`), 'here')?.destination?.name, expect, name);
  }
});

t.test('what no policy of this node is about is not judged at all', async t => {
  const policies = [policyObject('shop/p', { podSelector: web })];
  const index = indexOf({ namespaces, pods: [...pods, podObject('ops/here', ['10.244.1.77'])], policies });
  for (const packet of [
    'tcp 192.0.2.1 10.244.1.77 1',
    `tcp 192.0.2.1 ${CLIENT} 1`,
    `tcp ${OTHER} ${DB} 1`,
    'tcp 192.0.2.1 192.0.2.2 1',
  ])
    t.equal(index.judge(packetOf(packet), 'here'), undefined, packet);
});

t.test('a long policy rests while it is compiled, and not at every item', async t => {
  const LENGTH = 5_000;
  const list = <T>(make: (i: number) => T): T[] => Array.from({ length: LENGTH }, (_, i) => make(i));
  const address = (i: number): string => `10.${i >> 8}.${i & 255}.0`;
  const rows: { name: string; spec: Spec }[] = [
    { name: 'rules', spec: { ingress: list(() => ({})) } },
    { name: 'peers', spec: { ingress: [{ from: list(() => ({ podSelector: {} })) }] } },
    { name: 'blocks', spec: { ingress: [{ from: list(i => ({ ipBlock: { cidr: `${address(i)}/24` } })) }] } },
    {
      name: 'exceptions',
      spec: { ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.0/8', except: list(i => `${address(i)}/24`) } }] }] },
    },
    { name: 'ports', spec: { ingress: [{ ports: list(i => ({ port: i })) }] } },
    {
      name: 'expressions',
      spec: { podSelector: { matchExpressions: list(i => ({ key: `k${i}`, operator: 'Exists' })) } },
    },
    {
      name: 'values',
      spec: { podSelector: { matchExpressions: [{ key: 'a', operator: 'In', values: list(i => `v${i}`) }] } },
    },
  ];
  for (const { name, spec } of rows) {
    const rests = [...compilePolicy(policyObject('shop/p', spec))].length;
    t.ok(rests >= LENGTH / 1_000 && rests <= LENGTH / 10, `${name}: ${rests} rests`);
  }
});

t.test('what people are told', async t => {
  const deny: Spec = { podSelector: {}, policyTypes: ['Ingress'] };
  const rows: { name: string; policies: readonly [string, Spec][]; packet: string; expect: string }[] = [
    {
      name: 'one policy',
      policies: [['shop/deny', deny]],
      packet: TO_WEB,
      expect: `NetworkPolicy shop/deny selects shop/web for ingress, and none of its rules allows tcp from shop/client (${CLIENT}) to shop/web (${WEB}:80)`,
    },
    {
      name: 'from outside, IPv6',
      policies: [['shop/deny', deny]],
      packet: `tcp 2001:db8::1 ${WEB6} 80`,
      expect: `NetworkPolicy shop/deny selects shop/web for ingress, and none of its rules allows tcp from 2001:db8::1 to shop/web ([${WEB6}]:80)`,
    },
    {
      name: 'many policies',
      policies: ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map(name => [`shop/${name}`, deny]),
      packet: `icmp ${CLIENT} ${WEB}`,
      expect: `NetworkPolicies shop/a, shop/b, shop/c, shop/d, shop/e and 2 more select shop/web for ingress, and no rule of theirs allows icmp from shop/client (${CLIENT}) to shop/web (${WEB})`,
    },
    {
      name: 'allowed',
      policies: [['shop/p', fromPeers({ podSelector: {} })]],
      packet: TO_WEB,
      expect: 'NetworkPolicy shop/p allows it: ingress rule 1 for shop/web',
    },
  ];
  for (const { name, policies, packet, expect } of rows) {
    const index = indexOf({ namespaces, pods, policies: policies.map(([key, spec]) => policyObject(key, spec)) });
    const judgement = index.judge(packetOf(packet), 'here');
    const [finding] = judgement?.findings ?? [];
    t.equal(judgement && finding && findingText(finding, judgement), expect, name);
  }
});

t.test('what stands in the place of a Pod', async t => {
  const host = '172.18.0.1';
  const standIn = ({ dst, dstPort }: { dst: string; dstPort: number }) =>
    dst === host && dstPort === 5300
      ? { namespace: 'ops', name: 'dns', labels: { app: 'dns' }, port: 53, portName: 'dns' }
      : undefined;
  const to = (peer: object, port: number | string): Spec => ({
    podSelector: {},
    policyTypes: ['Ingress', 'Egress'],
    egress: [{ to: [peer], ports: [{ protocol: 'UDP', port }] }],
  });
  const pods53 = { namespaceSelector: { matchLabels: { team: 'b' } }, podSelector: { matchLabels: { app: 'dns' } } };
  const QUESTION = `udp ${CLIENT} ${host} 5300`;
  const rows = [
    { name: 'its labels and port', spec: to(pods53, 53), packet: QUESTION, expect: 'egress allowed by shop/p 1' },
    { name: 'its port’s name', spec: to(pods53, 'dns'), packet: QUESTION, expect: 'egress allowed by shop/p 1' },
    {
      name: 'the address stays what it is',
      spec: to({ ipBlock: { cidr: `${host}/32` } }, 53),
      packet: QUESTION,
      expect: 'egress allowed by shop/p 1',
    },
    { name: 'not the port of the host', spec: to(pods53, 5300), packet: QUESTION, expect: 'egress denied by shop/p' },
    {
      name: 'not other labels',
      spec: to({ podSelector: {} }, 53),
      packet: QUESTION,
      expect: 'egress denied by shop/p',
    },
    {
      name: 'not another port of the host',
      spec: to(pods53, 53),
      packet: `udp ${CLIENT} ${host} 53`,
      expect: 'egress denied by shop/p',
    },
  ];
  for (const { name, spec, packet, expect } of rows) {
    const index = indexOf({ namespaces, pods, policies: [policyObject('shop/p', spec)], standIn });
    t.equal(verdictOf(index.judge(packetOf(packet), 'here')), expect, name);
  }
});
