import { canonicalIP } from '../../machinery/ip.js';
import type { Labels } from '../../machinery/labels.js';
import type { DeepReadonly, Pod } from '../../machinery/types.js';
import type { PortNames } from './port-set.js';
import type { ObjectName } from './types.js';

/** What policies need to know of a Pod. */
export interface PodEntry extends ObjectName {
  readonly labels: Labels | undefined;
  /** Where it runs. */
  readonly nodeName: string | undefined;
  readonly addresses: readonly string[];
  /** Of several Pods that say they have an address the one with the lowest rank has it. */
  readonly rank: number;
  readonly portNames: PortNames;
}

const FINISHED: ReadonlySet<string | undefined> = new Set(['Succeeded', 'Failed']);

/** Undefined for a Pod in its node's network, whose addresses are the node's: policies neither select nor mean it. */
export function podEntry({ metadata, spec, status }: DeepReadonly<Pod>): PodEntry | undefined {
  if (spec?.hostNetwork === true) return undefined;
  const addresses = (status?.podIPs ?? []).flatMap(({ ip }) => canonicalIP(ip ?? '') ?? []);
  const phase = status?.phase;
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name ?? '',
    labels: metadata.labels,
    nodeName: spec?.nodeName,
    addresses,
    // A finished Pod keeps its address in its status while another one may have it already.
    rank: phase === 'Running' ? 0 : FINISHED.has(phase) ? 2 : 1,
    portNames: portNames(spec?.containers ?? []),
  };
}

type Containers = NonNullable<DeepReadonly<Pod>['spec']>['containers'];

/** Made when the first rule asks: few rules have names. */
function portNames(containers: Containers): PortNames {
  let known: Map<string, string[]> | undefined;
  const key = (protocol: string, port: number): string => `${protocol} ${port}`;
  const read = (): Map<string, string[]> => {
    const made = new Map<string, string[]>();
    for (const { ports } of containers)
      for (const { name, protocol = 'TCP', containerPort } of ports ?? []) {
        if (name === undefined) continue;
        const at = key(protocol, containerPort);
        const names = made.get(at);
        if (names === undefined) made.set(at, [name]);
        else names.push(name);
      }
    return made;
  };
  return (protocol, port) => (known ??= read()).get(key(protocol, port)) ?? [];
}
