import { semanticEqual } from '../machinery/json-equal.js';
import type { Node } from '../machinery/types.js';
import { POD_NETWORK_ANNOTATION } from '../nodeagent/network/peer.js';
import { resourcePrefix } from '../storage/keys.js';
import type { Held } from './store-state.js';

const prefixOf = (group: string, resource: string): string => resourcePrefix({ group, version: 'v1', resource });

/** Who is alive says so in its Lease: an older one would call it dead. */
const LEASES = ['kube-node-lease', 'kube-system'].map(
  namespace => `${prefixOf('coordination.k8s.io', 'leases')}${namespace}/`,
);
const isLease = (key: string): boolean => LEASES.some(prefix => key.startsWith(prefix));

/** Where the parts of one cluster are reached, and by which certificates they are known. */
const OWN: ReadonlySet<string> = new Set([
  `${prefixOf('apiregistration.k8s.io', 'apiservices')}v1beta1.metrics.k8s.io`,
  `${prefixOf('', 'configmaps')}kube-system/extension-apiserver-authentication`,
  `${prefixOf('', 'endpoints')}default/kubernetes`,
  `${prefixOf('discovery.k8s.io', 'endpointslices')}default/kubernetes`,
  `${prefixOf('discovery.k8s.io', 'endpointslices')}kube-system/kube-dns-host`,
  `${prefixOf('discovery.k8s.io', 'endpointslices')}kube-system/metrics-server-host`,
]);

/** What a running cluster says of itself, and nobody else can say. */
export const ofRunningCluster = {
  isLease,
  /** Of what another cluster says. */
  keeps: (key: string): boolean => isLease(key) || OWN.has(key),
};

const read = ({ value }: Held): Node => JSON.parse(Buffer.from(value).toString('utf8')) as Node;
const some = <K extends string, V>(name: K, value: V | undefined): { [P in K]?: V } =>
  (value === undefined ? {} : { [name]: value }) as { [P in K]?: V };

/**
 * A Node as it was, but for what its agent says of it: its status, and where it is reached. One that has been registered anew
 * since stays that one, with the addresses that it gives to Pods.
 */
export function mergedNode(wanted: Held, living: Held): Held {
  const [was, is] = [read(wanted), read(living)];
  const place = is.metadata.annotations?.[POD_NETWORK_ANNOTATION];
  const merged: Node = {
    ...was,
    metadata: {
      ...was.metadata,
      ...some('uid', is.metadata.uid),
      ...some('creationTimestamp', is.metadata.creationTimestamp),
      annotations: { ...was.metadata.annotations, ...some(POD_NETWORK_ANNOTATION, place) },
    },
    spec: { ...was.spec, ...some('podCIDR', is.spec?.podCIDR), ...some('podCIDRs', is.spec?.podCIDRs) },
    ...some('status', is.status),
  };
  const bare = (node: Node): unknown => ({ ...node, metadata: { ...node.metadata, managedFields: undefined } });
  // Who wrote which field when is no reason to write it again.
  return semanticEqual(bare(merged), bare(is)) ? living : { value: Buffer.from(JSON.stringify(merged)) };
}
