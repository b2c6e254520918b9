import type { Snapshot } from '../cache.js';
import { MAX_SCORE, type Plugin } from '../plugin.js';

const MB = 1024 * 1024;
const MIN = 23 * MB;
const MAX_PER_CONTAINER = 1000 * MB;

const withTag = (image: string): string =>
  image.lastIndexOf(':') <= image.lastIndexOf('/') ? `${image}:latest` : image;

/** Likes nodes that have the images, the more the larger they are and the more nodes have them. */
export const imageLocality = (snapshot: Snapshot): Plugin => ({
  name: 'ImageLocality',
  weight: 1,
  score(_state, { pod }, node) {
    const containers = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
    const nodes = snapshot.nodes().length;
    let sum = 0;
    for (const { image = '' } of containers) {
      const name = withTag(image);
      const size = node.images.get(name);
      if (size !== undefined) sum += Math.trunc(size * (snapshot.imageSpread(name) / nodes));
    }
    const max = MAX_PER_CONTAINER * containers.length;
    return Math.trunc((MAX_SCORE * (Math.min(max, Math.max(MIN, sum)) - MIN)) / (max - MIN));
  },
});
