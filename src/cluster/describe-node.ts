import type { ClientConfig } from '../client/kubeconfig.js';
import { NODES } from '../client/resources.js';
import { createClient } from '../client/rest-client.js';
import type { ResourceClient } from '../client/types.js';
import { isStatusError } from '../machinery/status.js';
import type { Node, Taint } from '../machinery/types.js';
import { describedLabels, type NodeDescription } from './node-description.js';

/**
 * Gives a Node the labels and taints that it is described with, before its agent runs: an administrator may set what a node
 * may not say of itself (node-role.kubernetes.io/…), and no Pod gets there before its taints. What is not described stays.
 * @throws StatusError
 */
export async function describeNode(admin: ClientConfig, name: string, description: NodeDescription): Promise<void> {
  const labels = describedLabels(description);
  const taints = (description.taints ?? []).map(({ key, value, effect }): Taint => ({
    key,
    ...(value === undefined ? {} : { value }),
    effect,
  }));
  if (Object.keys(labels).length === 0 && taints.length === 0) return;
  const client = createClient(admin, 'kubette');
  try {
    await write(client.resource<Node>(NODES), name, labels, taints);
  } finally {
    client.close();
  }
}

async function write(
  nodes: ResourceClient<Node>,
  name: string,
  labels: Readonly<Record<string, string>>,
  taints: readonly Taint[],
): Promise<void> {
  const key = { namespace: '', name };
  for (;;) {
    try {
      const { metadata, spec } = await nodes.get(key);
      const others = (spec?.taints ?? []).filter(
        taint => !taints.some(own => own.key === taint.key && own.effect === taint.effect),
      );
      // Controllers taint nodes as well: not over what one of them has said since.
      const { resourceVersion } = metadata;
      const all = [...others.map(taint => ({ ...taint })), ...taints];
      await nodes.patch(key, { metadata: { resourceVersion, labels }, spec: { taints: all } }, { type: 'merge' });
      return;
    } catch (error) {
      if (isStatusError(error, 'Conflict')) continue;
      if (!isStatusError(error, 'NotFound')) throw error;
    }
    try {
      await nodes.create('', {
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name, labels },
        spec: { taints: [...taints] },
      });
      return;
    } catch (error) {
      if (!isStatusError(error, 'AlreadyExists')) throw error;
    }
  }
}
