import { isStatusError } from '../../machinery/status.js';
import type { Node } from '../../machinery/types.js';
import { NODES } from '../../client/resources.js';
import { keyOf } from '../../client/types.js';
import type { ControllerDefinition } from '../controller.js';

const TTL = 'node.alpha.kubernetes.io/ttl';

interface Band {
  /** A cluster leaves the band upwards beyond `max`, downwards below `min` nodes: the overlap avoids flapping. */
  readonly min: number;
  readonly max: number;
  readonly ttlSeconds: number;
}

const BANDS: readonly Band[] = [
  { min: 0, max: 100, ttlSeconds: 0 },
  { min: 90, max: 500, ttlSeconds: 15 },
  { min: 450, max: 1000, ttlSeconds: 30 },
  { min: 900, max: 2000, ttlSeconds: 60 },
  { min: 1800, max: Infinity, ttlSeconds: 300 },
];

/** The band for a number of nodes, coming from another one. */
export function nextBand(current: number, nodes: number): number {
  let band = current;
  while (nodes > (BANDS[band]?.max ?? Infinity)) band++;
  while (nodes < (BANDS[band]?.min ?? 0)) band--;
  return band;
}

/** Tells kubelets by annotation how long Secrets and ConfigMaps may be cached: longer in larger clusters (pkg/controller/ttl). */
export const nodeTtlController: ControllerDefinition = {
  name: 'ttl-controller',
  aliases: ['ttl'],
  workers: 5,
  build({ client, informers, queue }) {
    const nodes = informers.informer<Node>(NODES);
    const writer = client.resource<Node>(NODES);
    const names = new Set<string>();
    let band = 0;
    const resized = (): void => {
      const next = nextBand(band, names.size);
      if (next === band) return;
      band = next;
      for (const name of names) queue.add(name);
    };
    nodes.addHandler({
      add(node) {
        names.add(keyOf(node));
        queue.add(keyOf(node));
        resized();
      },
      update: (_old, node) => queue.add(keyOf(node)),
      delete(node) {
        names.delete(keyOf(node));
        resized();
      },
    });
    return {
      async reconcile(name) {
        const node = nodes.indexer.get(name);
        const wanted = String(BANDS[band]?.ttlSeconds ?? 0);
        if (node === undefined || node.metadata.annotations?.[TTL] === wanted) return;
        const patch = { metadata: { annotations: { [TTL]: wanted } } };
        try {
          await writer.patch({ namespace: '', name }, patch, { type: 'strategic' });
        } catch (error) {
          if (!isStatusError(error, 'NotFound')) throw error;
        }
      },
    };
  },
};
