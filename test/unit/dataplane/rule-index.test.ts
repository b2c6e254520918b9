import t from 'tap';
import { type CompiledRules, compilePolicy } from '../../../src/dataplane/policies/compile-policy.js';
import { INDEX_FROM } from '../../../src/dataplane/policies/rule-index.js';
import type { PeerPod, PolicyPeer, PolicyPort } from '../../../src/dataplane/policies/types.js';
import { parseIP } from '../../../src/machinery/ip.js';
import { seededRandom } from '../../../src/machinery/random.js';
import { atOnce } from '../../../src/machinery/steps.js';
import type { LabelSelector } from '../../../src/machinery/types.js';
import { policyObject } from '../../support/policies.js';

interface GivenRule {
  readonly ports?: PolicyPort[];
  readonly from?: PolicyPeer[];
}

function compiled(ingress: GivenRule[]): CompiledRules {
  const { rules } = atOnce(compilePolicy(policyObject('shop/p', { podSelector: {}, ingress })));
  if (rules.ingress === undefined) throw new Error('no rules');
  return rules.ingress;
}

interface Question {
  readonly address: string;
  readonly pod: PeerPod | undefined;
  readonly protocol: string;
  readonly port: number;
  readonly names: readonly string[];
}

/** The rules that let the packet through, of those at these positions. */
function allowing(rules: CompiledRules, positions: Iterable<number>, asked: Question): number[] {
  const { address, pod, protocol, port, names } = asked;
  const ip = parseIP(address);
  if (ip === undefined) throw new Error(address);
  const question = { protocol, port, value: BigInt(port), names: () => names };
  return [...new Set(positions)].filter(position => {
    const rule = rules.list[position];
    return rule?.ports(question) === true && rule.peers(ip, pod);
  });
}

const candidates = (rules: CompiledRules, { address, pod, protocol, port, names }: Question): number[] => [
  ...rules.candidates(address, pod, { protocol, port, value: BigInt(port), names: () => names }),
];

t.test('asking the rules that the index names equals asking all', t => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = seededRandom(seed);
    const below = (n: number): number => Math.floor(random.number() * n);
    const oneOf = <T>(list: readonly T[]): T => list[below(list.length)] as T;
    const some = <T>(most: number, make: () => T): T[] => Array.from({ length: 1 + below(most) }, make);
    const key = (): string => oneOf(['app', 'tier', 'zone']);
    const value = (): string => oneOf(['', 'a', 'b', 'c']);
    const selector = (): LabelSelector => {
      const matchLabels = random.number() < 0.5 ? { [key()]: value() } : {};
      if (random.number() < 0.5) return { matchLabels };
      const operator = oneOf(['In', 'NotIn', 'Exists', 'DoesNotExist'] as const);
      const values = operator === 'In' || operator === 'NotIn' ? { values: some(20, value) } : {};
      return { matchLabels, matchExpressions: [{ key: key(), operator, ...values }] };
    };
    const peer = (): PolicyPeer =>
      oneOf([
        () => ({ ipBlock: { cidr: `10.0.0.${below(4)}/32` } }),
        () => ({ ipBlock: { cidr: `fd00:0::${1 + below(4)}/128` } }),
        () => ({ ipBlock: { cidr: '10.0.0.0/30', except: [`10.0.0.${below(4)}/32`] } }),
        () => ({ podSelector: selector() }),
        () => ({ namespaceSelector: selector() }),
        () => ({ podSelector: selector(), namespaceSelector: selector() }),
        () => ({}),
      ])();
    const port = (): PolicyPort =>
      oneOf([
        () => ({ port: 80 + below(3) }),
        () => ({ protocol: 'UDP', port: 80 + below(3) }),
        () => ({ port: 79 + below(3), endPort: 81 }),
        () => ({ port: oneOf(['http', 'dns']) }),
        () => ({ protocol: 'UDP' }),
      ])();
    const rules = compiled(
      Array.from({ length: INDEX_FROM * 3 }, () => ({
        ...(random.number() < 0.7 ? { ports: some(random.number() < 0.2 ? 8 : 2, port) } : {}),
        ...(random.number() < 0.95 ? { from: some(3, peer) } : {}),
      })),
    );
    for (let i = 0; i < 100; i++) {
      const labels = (): Record<string, string> => Object.fromEntries(some(3, () => [key(), value()]));
      const asked: Question = {
        address: oneOf([`10.0.0.${below(5)}`, `fd00::${1 + below(4)}`]),
        pod:
          random.number() < 0.2
            ? undefined
            : {
                namespace: oneOf(['shop', 'ops']),
                labels: random.number() < 0.1 ? undefined : labels(),
                namespaceLabels: random.number() < 0.1 ? undefined : labels(),
              },
        protocol: oneOf(['TCP', 'UDP', 'SCTP']),
        port: 78 + below(6),
        names: random.number() < 0.5 ? [] : [oneOf(['http', 'dns'])],
      };
      const found = candidates(rules, asked);
      const all = allowing(rules, rules.list.keys(), asked);
      const indexed = allowing(rules, found, asked);
      if (JSON.stringify(all) !== JSON.stringify(indexed))
        t.same(indexed, all, `seed ${seed} ${JSON.stringify(asked)}`);
      const ascending = found.every((position, at) => at === 0 || position >= (found[at - 1] ?? 0));
      if (!ascending) t.fail(`seed ${seed}: not in order`);
    }
  }
  t.pass('all the same');
  t.end();
});

t.test('of very many rules few are asked', async t => {
  const many = INDEX_FROM * 10;
  const asked: Question = {
    address: '192.0.2.1',
    pod: { namespace: 'shop', labels: { app: 'web' }, namespaceLabels: { team: 'a' } },
    protocol: 'TCP',
    port: 80,
    names: ['http'],
  };
  const rows: readonly { name: string; rule: (i: number) => GivenRule }[] = [
    { name: 'addresses', rule: i => ({ from: [{ ipBlock: { cidr: `10.0.${i >> 8}.${i & 255}/32` } }] }) },
    { name: 'labels', rule: i => ({ from: [{ podSelector: { matchLabels: { app: `a${i}` } } }] }) },
    {
      name: 'labels of namespaces',
      rule: i => ({ from: [{ namespaceSelector: { matchLabels: { team: `a${i}` } } }] }),
    },
    {
      name: 'sets of values',
      rule: i => ({
        from: [{ podSelector: { matchExpressions: [{ key: 'app', operator: 'In', values: [`a${i}`, `b${i}`] }] } }],
      }),
    },
    {
      name: 'keys',
      rule: i => ({ from: [{ podSelector: { matchExpressions: [{ key: `k${i}`, operator: 'Exists' }] } }] }),
    },
    { name: 'ports', rule: i => ({ ports: [{ port: 1000 + i }], from: [{ ipBlock: { cidr: '192.0.2.0/24' } }] }) },
    { name: 'names of ports', rule: i => ({ ports: [{ port: `p${i}` }] }) },
  ];
  for (const { name, rule } of rows) {
    const rules = compiled(Array.from({ length: many }, (_, i) => rule(i)));
    t.same(candidates(rules, asked), [], name);
  }
});
