import t from 'tap';
import { createPolicyIndex } from '../../../src/dataplane/policies/policy-index.js';
import type { NetworkPolicy, PolicyPeer, PolicyPort } from '../../../src/dataplane/policies/types.js';
import { seededRandom } from '../../../src/machinery/random.js';
import type { LabelSelector, Namespace, Pod } from '../../../src/machinery/types.js';
import {
  indexOf,
  type Labels,
  namespaceObject,
  packetOf,
  podObject,
  policyObject,
  setPolicy,
  verdictOf,
} from '../../support/policies.js';

/*
 * Whatever happens to Pods, Namespaces and policies, and whatever packets come between: the verdicts are those of an index
 * that was told the last state only. A failure names its seed.
 */
const SEEDS = Array.from({ length: 40 }, (_, i) => i + 1);
const STEPS = 80;
const NAMESPACES = ['a', 'b', 'c'] as const;
const PACKETS = 30;

function random(seed: number) {
  const { below } = seededRandom(seed);
  return {
    below,
    chance: (percent: number) => below(100) < percent,
    pick: <T>(list: readonly T[]): T => list[below(list.length)] as T,
    some: <T>(most: number, make: () => T): T[] => Array.from({ length: below(most + 1) }, make),
  };
}
type Random = ReturnType<typeof random>;

const KEYS = ['app', 'tier'] as const;
const VALUES = ['x', 'y', 'z'] as const;
const anyLabels = (r: Random): Labels => Object.fromEntries(r.some(2, () => [r.pick(KEYS), r.pick(VALUES)] as const));
const anyAddress = (r: Random): string =>
  r.chance(50) ? `10.244.${r.below(2)}.${r.below(8)}` : `fd00::${r.below(2)}:${r.below(8)}`;

function anySelector(r: Random): LabelSelector {
  if (r.chance(25)) return {};
  if (r.chance(50)) return { matchLabels: anyLabels(r) };
  const operator = r.pick(['In', 'NotIn', 'Exists', 'DoesNotExist'] as const);
  const values = operator.endsWith('In') ? { values: [r.pick(VALUES)] } : {};
  return { matchExpressions: [{ key: r.pick(KEYS), operator, ...values }] };
}

function anyPeer(r: Random): PolicyPeer {
  if (r.chance(30)) {
    const except = r.some(3, () => (r.chance(50) ? `10.244.0.${r.below(8)}/32` : `10.244.1.${r.below(8)}/31`));
    return r.chance(60)
      ? { ipBlock: { cidr: '10.244.0.0/16', except } }
      : { ipBlock: { cidr: 'fd00::/64', except: [`fd00::${r.below(2)}:${r.below(8)}/127`] } };
  }
  const podSelector = anySelector(r);
  const namespaceSelector = anySelector(r);
  return r.pick([{ podSelector }, { namespaceSelector }, { podSelector, namespaceSelector }]);
}

function anyPort(r: Random): PolicyPort {
  const port = r.below(6);
  const protocol = r.pick(['TCP', 'UDP', 'SCTP']);
  return r.pick([{ protocol }, { protocol, port }, { port, endPort: port + r.below(3) }, { port: r.pick(['p', 'q']) }]);
}

function anyPolicy(r: Random, key: string): NetworkPolicy {
  const types = r.pick([['Ingress'], ['Egress'], ['Ingress', 'Egress'], []]);
  const ports = (): PolicyPort[] => r.some(2, () => anyPort(r));
  const peers = (): PolicyPeer[] => r.some(3, () => anyPeer(r));
  return policyObject(key, {
    podSelector: anySelector(r),
    policyTypes: types,
    ingress: r.some(2, () => ({ ports: ports(), from: peers() })),
    egress: r.some(2, () => ({ ports: ports(), to: peers() })),
  });
}

const anyPod = (r: Random, key: string): Pod =>
  podObject(
    key,
    r.some(2, () => anyAddress(r)),
    {
      labels: anyLabels(r),
      node: r.pick(['here', 'there']),
      phase: r.pick(['Pending', 'Running', 'Running', 'Succeeded']),
      hostNetwork: r.chance(10),
      ports: r.some(2, () => ({ name: r.pick(['p', 'q']), containerPort: r.below(6) })),
    },
  );

t.test('incremental equals full', async t => {
  const seen = new Set<string>();
  for (const seed of SEEDS) {
    const r = random(seed);
    const index = createPolicyIndex();
    const state = {
      namespaces: new Map<string, Namespace>(),
      pods: new Map<string, Pod>(),
      policies: new Map<string, NetworkPolicy>(),
    };
    const packets = Array.from({ length: PACKETS }, () => {
      const family = r.chance(50) ? '10.244.' : 'fd00::';
      const end = (): string => (family === '10.244.' ? `10.244.${r.below(2)}.` : `fd00::${r.below(2)}:`) + r.below(8);
      return packetOf(`${r.pick(['tcp', 'udp', 'sctp', 'icmp'])} ${end()} ${end()} ${r.below(7)}`);
    });
    const compare = (step: number): boolean => {
      const full = indexOf({
        namespaces: state.namespaces.values(),
        pods: state.pods.values(),
        policies: state.policies.values(),
      });
      return packets.every(packet => {
        const [got, wanted] = [verdictOf(index.judge(packet, 'here')), verdictOf(full.judge(packet, 'here'))];
        seen.add(wanted.split(' ')[1] ?? wanted);
        return got === wanted || t.fail(`seed ${seed}, step ${step}: ${JSON.stringify(packet)}: ${got}, not ${wanted}`);
      });
    };
    for (let step = 0; step < STEPS; step++) {
      const namespace = r.pick(NAMESPACES);
      const name = `o${r.below(6)}`;
      const key = `${namespace}/${name}`;
      const goes = r.chance(25);
      switch (r.below(5)) {
        case 0:
          if (goes) {
            state.namespaces.delete(namespace);
            index.removeNamespace(namespace);
          } else {
            const made = namespaceObject(namespace, anyLabels(r));
            state.namespaces.set(namespace, made);
            index.setNamespace(made);
          }
          break;
        case 1:
        case 2:
          if (goes) {
            state.policies.delete(key);
            index.removePolicy({ namespace, name });
          } else {
            const made = anyPolicy(r, key);
            state.policies.set(key, made);
            setPolicy(index, made);
          }
          break;
        default:
          if (goes) {
            state.pods.delete(key);
            index.removePod({ namespace, name });
          } else {
            const made = anyPod(r, key);
            state.pods.set(key, made);
            index.setPod(made);
          }
      }
      if (r.chance(50) && !compare(step)) return;
    }
    if (!compare(STEPS)) return;
    t.pass(`seed ${seed}`);
  }
  t.same([...seen].sort(), ['allowed', 'denied', 'open'], 'and packets met all kinds of verdicts');
});
