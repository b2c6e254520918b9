import type { Protocol } from '../../../src/dataplane/packet.js';
import { type Family, familyOf } from '../../../src/machinery/ip.js';
import {
  addressIn,
  loopbackOf,
  NODE,
  NODE_ADDRESSES,
  type Place,
  PLACE_NAMES,
  PLACES,
  POD_GATEWAY,
  SECOND,
} from './addresses.js';
import { createDice, type Dice, type RandomCluster } from './generate.js';

/** Connections from one address to another. */
export interface Probe {
  readonly from: Place | 'node';
  /** Undefined: the node chooses. */
  readonly source: string | undefined;
  readonly protocol: Protocol;
  readonly to: string;
  readonly port: number;
  /** Clients stay with an endpoint: what becomes of one connection depends on those before. */
  readonly sticky: boolean;
}

export const probeText = ({ from, source = 'any', protocol, to, port }: Probe): string =>
  `${from} (${source}) to ${protocol} ${to} ${port}`;

interface Target {
  readonly protocol: string;
  readonly to: string;
  readonly port: number;
  readonly sticky: boolean;
}

function targetsOf({ services, family }: RandomCluster): Target[] {
  const nodeOwn = [...NODE_ADDRESSES.map(address => addressIn(address, family)), loopbackOf(family)];
  const targets = services.flatMap(({ spec, status }): Target[] => {
    const sticky = spec?.sessionAffinity === 'ClientIP';
    const healthCheck = spec?.healthCheckNodePort;
    const ofPorts = (spec?.ports ?? []).flatMap(({ protocol = 'TCP', port, nodePort }) => {
      const addresses = [
        spec?.clusterIP ?? '',
        ...(spec?.externalIPs ?? []),
        ...(status?.loadBalancer?.ingress ?? []).map(({ ip = '' }) => ip),
      ];
      return [
        ...addresses.map(to => ({ protocol, to, port, sticky })),
        ...(nodePort === undefined ? [] : nodeOwn.map(to => ({ protocol, to, port: nodePort, sticky }))),
        // The neighbours: a port that nobody has, and an address.
        { protocol, to: spec?.clusterIP ?? '', port: 7, sticky: false },
        { protocol, to: addressIn('10.200.9.9', family), port, sticky: false },
      ];
    });
    const checks =
      healthCheck === undefined ? [] : [{ protocol: 'TCP', to: addressIn(NODE, family), port: healthCheck }];
    return [...ofPorts, ...checks.map(check => ({ ...check, sticky: false }))];
  });
  // Several Services may want one address and port, and the one that has it keeps its clients.
  const key = ({ protocol, to, port }: Target): string => `${protocol} ${to} ${port}`;
  const sticky = new Set(targets.filter(target => target.sticky).map(key));
  return targets.map(target => ({ ...target, sticky: sticky.has(key(target)) }));
}

/** Who can send to the address at all: loopback is the node's own. */
function sourcesOf({ to }: Target, family: Family): Pick<Probe, 'from' | 'source'>[] {
  const node = { from: 'node', source: undefined } as const;
  if (to === loopbackOf(family)) return [node];
  const around = PLACE_NAMES.filter(name => name !== 'peer').flatMap(from =>
    PLACES[from].addresses.map(address => ({ from, source: addressIn(address, family) })),
  );
  return [node, ...around];
}

/** Addresses whose packets the node itself takes are asked less often: they are many, and alike. */
const weightOf = ({ to }: Target, family: Family): number =>
  [POD_GATEWAY, SECOND].some(address => addressIn(address, family) === to) ? 40 : 100;

const choose = <T>(dice: Dice, list: readonly T[], count: number): T[] => {
  const left = [...list];
  const chosen: T[] = [];
  while (left.length > 0 && chosen.length < count) chosen.push(...left.splice(dice.below(left.length), 1));
  return chosen;
};

/** Some of all the connections that could be tried. SCTP has no sockets here. */
export function probesOf(cluster: RandomCluster, perTarget = 3): Probe[] {
  const { seed, family } = cluster;
  const dice = createDice(seed * 7919);
  return targetsOf(cluster)
    .filter(target => familyOf(target.to) === family && target.protocol !== 'SCTP')
    .filter(target => dice.chance(weightOf(target, family)))
    .flatMap(target =>
      choose(dice, sourcesOf(target, family), perTarget).map(source => ({
        ...target,
        ...source,
        protocol: target.protocol.toLowerCase() as Protocol,
      })),
    );
}
