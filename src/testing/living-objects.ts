import { resourcePrefix } from '../storage/keys.js';
import { semanticEqual } from '../machinery/json-equal.js';
import type { Node } from '../machinery/types.js';
import type { Held } from './store-state.js';

/** Who is alive says so in its Lease: an older one would call it dead. */
const LEASES = ['kube-node-lease', 'kube-system'].map(
  namespace => `${resourcePrefix({ group: 'coordination.k8s.io', version: 'v1', resource: 'leases' })}${namespace}/`,
);

/** What a running cluster says of itself, and nobody else can say. */
export const keptAsItIs = (key: string): boolean => LEASES.some(prefix => key.startsWith(prefix));

const read = ({ value }: Held): Node => JSON.parse(Buffer.from(value).toString('utf8')) as Node;

/** Where agents find each other is written on their Nodes. */
const isOfAgent = (annotation: string): boolean => annotation.includes('kubette');

/** A Node as it was, but for what its agent says of it: its status, and where it is reached. */
export function mergedNode(wanted: Held, living: Held): Held {
  const [was, is] = [read(wanted), read(living)];
  if (was.metadata.uid !== is.metadata.uid) return wanted;
  const own = Object.entries(is.metadata.annotations ?? {}).filter(([name]) => isOfAgent(name));
  const annotations = { ...was.metadata.annotations, ...Object.fromEntries(own) };
  const { status } = is;
  const merged = { ...was, metadata: { ...was.metadata, annotations }, ...(status === undefined ? {} : { status }) };
  const bare = (node: Node): unknown => ({ ...node, metadata: { ...node.metadata, managedFields: undefined } });
  // Who wrote which field when is no reason to write it again.
  return semanticEqual(bare(merged), bare(is)) ? living : { value: Buffer.from(JSON.stringify(merged)) };
}
