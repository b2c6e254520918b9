import type { Indexer } from '../client/types.js';
import type { DeepReadonly, KubeObject } from '../machinery/types.js';

/** Index by every label that an object has, in its namespace. */
export const LABEL_INDEX = 'label';
const pair = (namespace: string, key: string, value: string): string => `${namespace}/${key}=${value}`;
const pairsOf = (namespace = '', labels: Readonly<Record<string, string>> = {}): string[] =>
  Object.entries(labels).map(([key, value]) => pair(namespace, key, value));

export const byLabel = ({ metadata }: DeepReadonly<KubeObject>): readonly string[] =>
  pairsOf(metadata.namespace, metadata.labels);

/**
 * The objects of a namespace that may have all of these labels: those with the one that the fewest have. What a selector
 * costs then follows what it selects, and not what there is beside that. Whoever asks looks at the others himself.
 */
export function candidatesWith<T extends KubeObject>(
  indexer: Indexer<T>,
  namespace: string,
  labels: Readonly<Record<string, string>> = {},
): readonly DeepReadonly<T>[] {
  let rarest: string | undefined;
  let fewest = Infinity;
  for (const value of pairsOf(namespace, labels)) {
    const count = indexer.countByIndex(LABEL_INDEX, value);
    if (count >= fewest) continue;
    fewest = count;
    rarest = value;
  }
  return rarest === undefined ? indexer.byIndex('namespace', namespace) : indexer.byIndex(LABEL_INDEX, rarest);
}

/** Index of what selects by labels: by its namespace and the first label that it wants, of however many. */
export const SELECTING_INDEX = 'selecting';
export const bySelecting =
  <T extends KubeObject>(wanted: (object: DeepReadonly<T>) => Readonly<Record<string, string>> | undefined) =>
  (object: DeepReadonly<T>): readonly string[] =>
    pairsOf(object.metadata.namespace, wanted(object)).slice(0, 1);

/** Those that may select an object with these labels. */
export const selectingCandidates = <T extends KubeObject>(
  indexer: Indexer<T>,
  { metadata }: DeepReadonly<KubeObject>,
): DeepReadonly<T>[] =>
  pairsOf(metadata.namespace, metadata.labels).flatMap(value => indexer.byIndex(SELECTING_INDEX, value));
