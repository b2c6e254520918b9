import t from 'tap';
import { indexOf, packetOf, policyObject, verdictOf } from '../../support/policies.js';
import {
  ALLOWED,
  CLIENT,
  CLIENT6,
  DB,
  DENIED,
  fromPeers,
  HOST_POD,
  namespaces,
  NODE,
  OTHER,
  pods,
  TO_WEB,
  WEB,
  web,
  WEB6,
  type Spec,
} from '../../support/policy-shop.js';

const onPorts = (...ports: NonNullable<NonNullable<Spec['ingress']>[number]['ports']>): Spec => ({
  podSelector: web,
  policyTypes: ['Ingress'],
  ingress: [{ ports }],
});
/** More than are asked one by one. */
const MANY_PORTS = [1, 2, 3, 4].map(port => ({ port }));

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
      name: 'every expression must match',
      spec: fromPeers({
        podSelector: {
          matchExpressions: [
            { key: 'app', operator: 'Exists' },
            { key: 'tier', operator: 'DoesNotExist' },
          ],
        },
      }),
      packet: TO_WEB,
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
    {
      name: 'a protocol alone, among many ports',
      spec: onPorts(...MANY_PORTS, { protocol: 'UDP' }),
      packet: `udp ${CLIENT} ${WEB} 80`,
      expect: ALLOWED,
    },
    {
      name: 'a name among many ports',
      spec: onPorts(...MANY_PORTS, { port: 'http' }),
      packet: `tcp ${CLIENT} ${WEB} 8080`,
      expect: ALLOWED,
    },
    {
      name: 'a range among many ports',
      spec: onPorts(...MANY_PORTS, { port: 70, endPort: 80 }),
      packet: TO_WEB,
      expect: ALLOWED,
    },
    {
      name: 'none of many ports',
      spec: onPorts(...MANY_PORTS, { protocol: 'UDP', port: 80 }, { port: 'dns' }),
      packet: TO_WEB,
      expect: DENIED,
    },
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
    t.equal(verdictOf(index.judge(packetOf(packet), 'here')), expect, name);
  }
});
