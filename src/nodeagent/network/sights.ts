import { LOOPBACK_LINK } from '../../dataplane/kernel/routes.js';
import type { Flow } from '../../containers/network/types.js';
import { sightOf, type Sight } from './capture/wire.js';
import type { SenderHook } from './decisions.js';
import type { DeliveryOptions, Target } from './delivery.js';
import { NODE_LINK, POD_LINK } from './links.js';

export interface Sights {
  /** Where a packet is seen as it comes in; undefined: the node sends it itself. */
  readonly incoming: (flow: Flow, hook: SenderHook) => Sight | undefined;
  /** Where it is seen on its way: as it comes in, and as it goes out. */
  readonly sightsOf: (flow: Flow, out: Flow, hook: SenderHook, target: Target) => readonly Sight[];
}

/** Where packets that go through a node are seen by whoever captures there. */
export function createSights({ pods, nodeSockets }: Pick<DeliveryOptions, 'pods' | 'nodeSockets'>): Sights {
  const linkTo = (target: Target): string =>
    target.kind !== 'sockets' ? NODE_LINK : target.sockets === nodeSockets ? LOOPBACK_LINK : POD_LINK;
  const incoming: Sights['incoming'] = (flow, hook) =>
    hook === 'output' ? undefined : sightOf(pods.has(flow.src) ? POD_LINK : NODE_LINK, 'in', flow);
  return {
    incoming,
    sightsOf(flow, out, hook, target) {
      const first = incoming(flow, hook);
      const isForNode = target.kind === 'sockets' && target.sockets === nodeSockets;
      const outgoing = first !== undefined && isForNode ? [] : [sightOf(linkTo(target), 'out', out)];
      return first === undefined ? outgoing : [first, ...outgoing];
    },
  };
}
