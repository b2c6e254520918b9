import { NAMESPACES, NETWORK_POLICIES, PODS } from '../../client/resources.js';
import { type Informer, type InformerFactory, keyOf } from '../../client/types.js';
import type { Tuple } from '../../dataplane/packet.js';
import { compilePolicy } from '../../dataplane/policies/compile-policy.js';
import { createPolicyIndex } from '../../dataplane/policies/policy-index.js';
import type { Judgement, NetworkPolicy, ObjectName } from '../../dataplane/policies/types.js';
import type { Clock } from '../../machinery/clock.js';
import type { Logger } from '../../machinery/logger.js';
import { createBusyness } from '../../machinery/work-ledger.js';
import { inTurns } from '../../machinery/steps.js';
import { createTurns } from '../../machinery/turns.js';
import type { DeepReadonly, EndpointSlice, Namespace, ObjectMeta, Pod, Service } from '../../machinery/types.js';
import { createDnsStandIn } from './dns-stand-in.js';

/** What stands in the place of kindnet's kube-network-policies. */
export interface NodePolicies {
  /** Undefined: policies have nothing to say about the packet on this node, or not yet. */
  judge(packet: Tuple, nodeName: string): Judgement | undefined;
}

export interface NodePoliciesOptions {
  readonly informers: InformerFactory;
  /** Those of the agent's proxy. */
  readonly services: Informer<Service>;
  readonly slices: Informer<EndpointSlice>;
  readonly clock: Clock;
  readonly log: Logger;
}

const nameOf = ({ namespace = '', name = '' }: DeepReadonly<ObjectMeta>): ObjectName => ({ namespace, name });

/**
 * Keeps the index of policies as the API server says. The Pods and Namespaces of the whole cluster are watched from the
 * first policy on. Until all of it is known everything passes, as there (docs/kube-proxy.md 7.4).
 */
export function createNodePolicies(options: NodePoliciesOptions): NodePolicies {
  const { informers, services, slices, clock, log } = options;
  const index = createPolicyIndex(createDnsStandIn(slices, services));
  const turns = createTurns(clock);
  const policies = informers.informer<NetworkPolicy>(NETWORK_POLICIES);
  /** Policies that changed: what they are now; undefined: gone. */
  const changed = new Map<
    string,
    { readonly name: ObjectName; readonly policy: DeepReadonly<NetworkPolicy> | undefined }
  >();
  let working = false;
  const busyness = createBusyness(clock, 'policies');
  let inForce = false;
  let pods: Informer<Pod> | undefined;
  let namespaces: Informer<Namespace> | undefined;

  const compileChanged = async (): Promise<void> => {
    if (working) return;
    working = true;
    busyness.set(true);
    for (const [key, { name, policy }] of changed) {
      changed.delete(key);
      try {
        if (policy === undefined) index.removePolicy(name);
        else index.setPolicy(await inTurns(compilePolicy(policy), turns));
      } catch (error) {
        index.removePolicy(name);
        log.error({ err: error, policy: key }, 'a NetworkPolicy cannot be read, and is not enforced');
      }
      if (turns.isOver()) await turns.next();
    }
    working = false;
    busyness.set(false);
  };
  const change = (object: DeepReadonly<NetworkPolicy>, policy: DeepReadonly<NetworkPolicy> | undefined): void => {
    watchPods();
    changed.set(keyOf(object), { name: nameOf(object.metadata), policy });
    void compileChanged();
  };

  const watchPods = (): void => {
    if (pods !== undefined) return;
    pods = informers.informer<Pod>(PODS);
    pods.addHandler({
      add: pod => index.setPod(pod),
      update: (_old, pod) => index.setPod(pod),
      delete: pod => index.removePod(nameOf(pod.metadata)),
    });
    namespaces = informers.informer<Namespace>(NAMESPACES);
    namespaces.addHandler({
      add: namespace => index.setNamespace(namespace),
      update: (_old, namespace) => index.setNamespace(namespace),
      delete: ({ metadata }) => index.removeNamespace(metadata.name ?? ''),
    });
  };

  policies.addHandler({
    add: policy => change(policy, policy),
    update: (_old, policy) => change(policy, policy),
    delete: policy => change(policy, undefined),
  });

  const isInForce = (): boolean =>
    (inForce ||=
      policies.synced && pods?.synced === true && namespaces?.synced === true && changed.size === 0 && !working);
  return { judge: (packet, nodeName) => (isInForce() ? index.judge(packet, nodeName) : undefined) };
}
