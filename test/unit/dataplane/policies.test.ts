import t from 'tap';
import { findingText } from '../../../src/dataplane/policies/judgement-text.js';
import type { NetworkPolicy } from '../../../src/dataplane/policies/types.js';
import {
  indexOf,
  namespaceObject,
  packetOf,
  podObject,
  policyObject,
  setPolicy,
  verdictOf,
} from '../../support/policies.js';

const WEB = '10.244.1.2';
const WEB6 = 'fd00:10:244:1::2';
const CLIENT = '10.244.1.3';
const CLIENT6 = 'fd00:10:244:1::3';
const OTHER = '10.244.2.4';
const DB = '10.244.2.5';
const NODE = '172.18.0.2';
const HOST_POD = '172.18.0.3';

const namespaces = [namespaceObject('shop', { team: 'a' }), namespaceObject('ops', { team: 'b' })];
const pods = [
  podObject('shop/web', [WEB, WEB6], {
    labels: { app: 'web' },
    ports: [
      { name: 'http', containerPort: 8080 },
      { name: 'dns', containerPort: 53, protocol: 'UDP' },
      { name: 'both', containerPort: 53 },
      { name: 'assoc', containerPort: 9000, protocol: 'SCTP' },
    ],
  }),
  podObject('shop/client', [CLIENT, CLIENT6], { labels: { app: 'client', tier: 'front' } }),
  podObject('ops/other', [OTHER], { labels: { app: 'client' }, node: 'there' }),
  podObject('ops/db', [DB], { labels: { app: 'db' }, node: 'there', ports: [{ name: 'sql', containerPort: 5432 }] }),
  podObject('shop/host', [HOST_POD], { labels: { app: 'web' }, hostNetwork: true }),
  // Its address is another's by now.
  podObject('ops/done', [WEB], { labels: { app: 'job' }, phase: 'Succeeded' }),
];
type Spec = NonNullable<NetworkPolicy['spec']>;
const TO_WEB = `tcp ${CLIENT} ${WEB} 80`;
const web = { matchLabels: { app: 'web' } };
const fromPeers = (...from: NonNullable<NonNullable<Spec['ingress']>[number]['from']>): Spec => ({
  podSelector: web,
  policyTypes: ['Ingress'],
  ingress: [{ from }],
});
const onPorts = (...ports: NonNullable<NonNullable<Spec['ingress']>[number]['ports']>): Spec => ({
  podSelector: web,
  policyTypes: ['Ingress'],
  ingress: [{ ports }],
});
const ALLOWED = 'ingress allowed by shop/p 1';
const DENIED = 'ingress denied by shop/p';

t.test('one policy, one packet', async t => {
  const rows: { name: string; spec: Spec; packet: string; expect: string }[] = [
    {
      name: 'no policy selects either',
      spec: { podSelector: { matchLabels: { a: 'b' } } },
      packet: TO_WEB,
      expect: 'open',
    },
    {
      name: 'an empty selector is every Pod of the namespace',
      spec: { podSelector: {} },
      packet: TO_WEB,
      expect: DENIED,
    },
    {
      name: 'and none of another one',
      spec: { podSelector: {}, policyTypes: ['Ingress'] },
      packet: `tcp ${CLIENT} ${DB} 5432`,
      expect: 'open',
    },
    { name: 'no rules: nothing', spec: { podSelector: web, policyTypes: ['Ingress'] }, packet: TO_WEB, expect: DENIED },
    { name: 'an empty rule: everything', spec: { podSelector: web, ingress: [{}] }, packet: TO_WEB, expect: ALLOWED },
    {
      name: 'types by default: egress too where there are such rules',
      spec: { podSelector: { matchLabels: { app: 'client' } }, egress: [{ ports: [{ port: 81 }] }] },
      packet: TO_WEB,
      expect: 'egress denied by shop/p',
    },
    {
      name: 'only egress: ingress is open',
      spec: { podSelector: web, policyTypes: ['Egress'] },
      packet: TO_WEB,
      expect: 'open',
    },
    {
      name: 'egress denied',
      spec: { podSelector: {}, policyTypes: ['Egress'] },
      packet: TO_WEB,
      expect: 'egress denied by shop/p',
    },
    {
      name: 'both directions are asked',
      spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'], egress: [{}], ingress: [{ ports: [{ port: 81 }] }] },
      packet: TO_WEB,
      expect: 'egress allowed by shop/p 1, ingress denied by shop/p',
    },
    {
      name: 'podSelector',
      spec: fromPeers({ podSelector: { matchLabels: { app: 'client' } } }),
      packet: TO_WEB,
      expect: ALLOWED,
    },
    {
      name: 'podSelector is of the same namespace',
      spec: fromPeers({ podSelector: { matchLabels: { app: 'client' } } }),
      packet: `tcp ${OTHER} ${WEB} 80`,
      expect: DENIED,
    },
    {
      name: 'namespaceSelector',
      spec: fromPeers({ namespaceSelector: { matchLabels: { team: 'b' } } }),
      packet: `tcp ${OTHER} ${WEB} 80`,
      expect: ALLOWED,
    },
    {
      name: 'namespaceSelector that does not match',
      spec: fromPeers({ namespaceSelector: { matchExpressions: [{ key: 'team', operator: 'NotIn', values: ['b'] }] } }),
      packet: `tcp ${OTHER} ${WEB} 80`,
      expect: DENIED,
    },
    {
      name: 'an empty namespaceSelector is every Pod',
      spec: fromPeers({ namespaceSelector: {} }),
      packet: `tcp ${OTHER} ${WEB} 80`,
      expect: ALLOWED,
    },
    {
      name: 'but nothing that is no Pod',
      spec: fromPeers({ namespaceSelector: {} }),
      packet: `tcp ${NODE} ${WEB} 80`,
      expect: DENIED,
    },
    {
      name: 'nor a Pod in its node’s network',
      spec: fromPeers({ podSelector: {} }),
      packet: `tcp ${HOST_POD} ${WEB} 80`,
      expect: DENIED,
    },
    {
      name: 'both selectors together',
      spec: fromPeers({
        namespaceSelector: { matchLabels: { team: 'b' } },
        podSelector: { matchLabels: { app: 'client' } },
      }),
      packet: `tcp ${OTHER} ${WEB} 80`,
      expect: ALLOWED,
    },
    {
      name: 'both selectors, one does not match',
      spec: fromPeers({
        namespaceSelector: { matchLabels: { team: 'b' } },
        podSelector: { matchLabels: { app: 'client' } },
      }),
      packet: `tcp ${DB} ${WEB} 80`,
      expect: DENIED,
    },
    {
      name: 'the same as two peers',
      spec: fromPeers(
        { namespaceSelector: { matchLabels: { team: 'b' } } },
        { podSelector: { matchLabels: { app: 'x' } } },
      ),
      packet: `tcp ${DB} ${WEB} 80`,
      expect: ALLOWED,
    },
    {
      name: 'ipBlock',
      spec: fromPeers({ ipBlock: { cidr: '172.18.0.0/16' } }),
      packet: `tcp ${NODE} ${WEB} 80`,
      expect: ALLOWED,
    },
    {
      name: 'ipBlock of a Pod',
      spec: fromPeers({ ipBlock: { cidr: '10.244.0.0/16' } }),
      packet: TO_WEB,
      expect: ALLOWED,
    },
    {
      name: 'ipBlock that is given by an address inside',
      spec: fromPeers({ ipBlock: { cidr: '10.244.9.9/16' } }),
      packet: TO_WEB,
      expect: ALLOWED,
    },
    {
      name: 'except',
      spec: fromPeers({ ipBlock: { cidr: '10.244.0.0/16', except: ['10.244.1.0/24', '10.244.7.0/24'] } }),
      packet: TO_WEB,
      expect: DENIED,
    },
    {
      name: 'beside except',
      spec: fromPeers({ ipBlock: { cidr: '10.244.0.0/16', except: ['10.244.1.0/24', '10.244.3.0/24'] } }),
      packet: `tcp ${OTHER} ${WEB} 80`,
      expect: ALLOWED,
    },
    {
      name: 'the exception of one block is no other’s',
      spec: fromPeers(
        { ipBlock: { cidr: '10.244.0.0/16', except: ['10.244.1.0/24'] } },
        { ipBlock: { cidr: '10.244.1.3/32' } },
      ),
      packet: TO_WEB,
      expect: ALLOWED,
    },
    {
      name: 'the last address of a block',
      spec: fromPeers({ ipBlock: { cidr: '10.244.1.0/30' } }),
      packet: TO_WEB,
      expect: ALLOWED,
    },
    {
      name: 'the first behind it',
      spec: fromPeers({ ipBlock: { cidr: '10.244.1.0/31' } }),
      packet: TO_WEB,
      expect: DENIED,
    },
    {
      name: 'IPv6 block with except',
      spec: fromPeers({ ipBlock: { cidr: 'fd00:10:244::/48', except: ['fd00:10:244:1::/64'] } }),
      packet: `tcp ${CLIENT6} ${WEB6} 80`,
      expect: DENIED,
    },
    {
      name: 'IPv6 block',
      spec: fromPeers(
        { ipBlock: { cidr: '0.0.0.0/0' } },
        { ipBlock: { cidr: '::/0', except: ['fd00:10:244:2::/64'] } },
      ),
      packet: `tcp ${CLIENT6} ${WEB6} 80`,
      expect: ALLOWED,
    },
    {
      name: 'an IPv4 block is no IPv6 address',
      spec: fromPeers({ ipBlock: { cidr: '0.0.0.0/0' } }),
      packet: `tcp ${CLIENT6} ${WEB6} 80`,
      expect: DENIED,
    },
    {
      name: 'selectors go for both families',
      spec: fromPeers({ podSelector: { matchLabels: { tier: 'front' } } }),
      packet: `udp ${CLIENT6} ${WEB6} 80`,
      expect: ALLOWED,
    },
    { name: 'port', spec: onPorts({ port: 80 }), packet: TO_WEB, expect: ALLOWED },
    { name: 'another port', spec: onPorts({ port: 81 }), packet: TO_WEB, expect: DENIED },
    {
      name: 'a port is TCP by default',
      spec: onPorts({ port: 80 }),
      packet: `udp ${CLIENT} ${WEB} 80`,
      expect: DENIED,
    },
    { name: 'UDP', spec: onPorts({ protocol: 'UDP', port: 80 }), packet: `udp ${CLIENT} ${WEB} 80`, expect: ALLOWED },
    {
      name: 'SCTP',
      spec: onPorts({ protocol: 'SCTP', port: 80 }),
      packet: `sctp ${CLIENT} ${WEB} 80`,
      expect: ALLOWED,
    },
    { name: 'a protocol alone', spec: onPorts({ protocol: 'UDP' }), packet: `udp ${CLIENT} ${WEB} 4`, expect: ALLOWED },
    { name: 'one of two', spec: onPorts({ port: 443 }, { port: 80 }), packet: TO_WEB, expect: ALLOWED },
    { name: 'first of a range', spec: onPorts({ port: 80, endPort: 90 }), packet: TO_WEB, expect: ALLOWED },
    { name: 'last of a range', spec: onPorts({ port: 70, endPort: 80 }), packet: TO_WEB, expect: ALLOWED },
    { name: 'behind a range', spec: onPorts({ port: 70, endPort: 79 }), packet: TO_WEB, expect: DENIED },
    { name: 'a name', spec: onPorts({ port: 'http' }), packet: `tcp ${CLIENT} ${WEB} 8080`, expect: ALLOWED },
    { name: 'a name of another port', spec: onPorts({ port: 'http' }), packet: TO_WEB, expect: DENIED },
    {
      name: 'a name nobody has',
      spec: onPorts({ port: 'https' }),
      packet: `tcp ${CLIENT} ${WEB} 8080`,
      expect: DENIED,
    },
    {
      name: 'a name of another protocol',
      spec: onPorts({ protocol: 'TCP', port: 'dns' }),
      packet: `tcp ${CLIENT} ${WEB} 53`,
      expect: DENIED,
    },
    {
      name: 'a name by its protocol',
      spec: onPorts({ protocol: 'UDP', port: 'dns' }),
      packet: `udp ${CLIENT} ${WEB} 53`,
      expect: ALLOWED,
    },
    {
      name: 'an SCTP name',
      spec: onPorts({ protocol: 'SCTP', port: 'assoc' }),
      packet: `sctp ${CLIENT} ${WEB} 9000`,
      expect: ALLOWED,
    },
    {
      name: 'egress: the name is the destination’s',
      spec: { podSelector: {}, policyTypes: ['Egress'], egress: [{ ports: [{ port: 'sql' }] }] },
      packet: `tcp ${CLIENT} ${DB} 5432`,
      expect: 'egress allowed by shop/p 1',
    },
    {
      name: 'egress to what is no Pod has no names',
      spec: { podSelector: {}, policyTypes: ['Egress'], egress: [{ ports: [{ port: 'http' }] }] },
      packet: `tcp ${CLIENT} 192.0.2.1 8080`,
      expect: 'egress denied by shop/p',
    },
    {
      name: 'egress to an ipBlock',
      spec: { podSelector: {}, policyTypes: ['Egress'], egress: [{ to: [{ ipBlock: { cidr: '192.0.2.0/24' } }] }] },
      packet: `tcp ${CLIENT} 192.0.2.1 8080`,
      expect: 'egress allowed by shop/p 1',
    },
    {
      name: 'egress to a namespace',
      spec: {
        podSelector: {},
        policyTypes: ['Egress'],
        egress: [{ ports: [{ port: 1 }] }, { to: [{ namespaceSelector: { matchLabels: { team: 'b' } } }] }],
      },
      packet: `tcp ${CLIENT} ${DB} 8080`,
      expect: 'egress allowed by shop/p 2',
    },
    {
      name: 'peers and ports of a rule both count',
      spec: {
        podSelector: web,
        ingress: [{ from: [{ podSelector: {} }], ports: [{ port: 81 }] }, { ports: [{ port: 80 }] }],
      },
      packet: TO_WEB,
      expect: 'ingress allowed by shop/p 2',
    },
    {
      name: 'what has no ports matches no rule with ports',
      spec: onPorts({}),
      packet: `icmp ${CLIENT} ${WEB}`,
      expect: DENIED,
    },
    {
      name: 'and every rule without',
      spec: fromPeers({ podSelector: {} }),
      packet: `icmp ${CLIENT} ${WEB}`,
      expect: ALLOWED,
    },
    {
      name: 'a Pod in its node’s network is not selected',
      spec: { podSelector: web },
      packet: `tcp ${CLIENT} ${HOST_POD} 80`,
      expect: 'open',
    },
  ];
  for (const { name, spec, packet, expect } of rows) {
    const index = indexOf({ namespaces, pods, policies: [policyObject('shop/p', spec)] });
    t.equal(verdictOf(index.judge(packetOf(packet))), expect, name);
  }
});

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
  for (const { name, packet, expect } of rows) t.equal(verdictOf(index.judge(packetOf(packet))), expect, name);
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
    t.equal(verdictOf(index.judge(packetOf(step.packet ?? packet))), step.expect, step.name);
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
    const judgement = index.judge(packetOf(packet));
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
    t.equal(verdictOf(index.judge(packetOf(packet))), expect, name);
  }
});
