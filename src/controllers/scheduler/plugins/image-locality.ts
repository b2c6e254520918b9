import type { Snapshot } from '../cache.js';
import { MAX_SCORE, type Plugin } from '../plugin.js';

const MB = 1024 * 1024;
const MIN = 23 * MB;
const MAX_PER_CONTAINER = 1000 * MB;

const withTag = (image: string): string =>
  image.lastIndexOf(':') <= image.lastIndexOf('/') ? `${image}:latest` : image;

interface Wanted {
  readonly name: string;
  /** Of the nodes, those that have it. */
  readonly share: number;
}

/** Likes nodes that have the images, the more the larger they are and the more nodes have them. */
export const imageLocality = (snapshot: Snapshot): Plugin<never, readonly Wanted[]> => ({
  name: 'ImageLocality',
  weight: 1,
  preScore({ pod }) {
    const nodes = snapshot.nodes().length;
    return [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])].map(({ image = '' }) => {
      const name = withTag(image);
      return { name, share: snapshot.imageSpread(name) / nodes };
    });
  },
  score(wanted, _pod, node) {
    let sum = 0;
    for (const { name, share } of wanted) {
      const size = node.images.get(name);
      if (size !== undefined) sum += Math.trunc(size * share);
    }
    const max = MAX_PER_CONTAINER * wanted.length;
    return Math.trunc((MAX_SCORE * (Math.min(max, Math.max(MIN, sum)) - MIN)) / (max - MIN));
  },
});
