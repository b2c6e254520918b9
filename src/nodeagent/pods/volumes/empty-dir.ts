import type { Tree } from '../../../containers/file-system.js';
import { DEFAULT_CAPACITY } from '../../../containers/tree.js';
import { podLimits } from '../../../machinery/pod-requests.js';
import { parseQuantity, scaledValue } from '../../../machinery/quantity.js';
import type { ReadonlyPod } from '../types.js';
import { sharedTree } from './own-trees.js';
import type { Volume } from './volume-input.js';

/** An empty directory of the Pod's own, in memory when that is asked for. */
export const emptyDirectory = (emptyDir: Volume['emptyDir'], pod: ReadonlyPod): Tree =>
  emptyDir?.medium === 'Memory'
    ? sharedTree(pod, true, memoryCapacity(emptyDir.sizeLimit, pod))
    : sharedTree(pod, false);

/** What a tmpfs takes at most: its limit, and what the Pod may use of memory (emptydir calculateEmptyDirMemorySize). */
export function memoryCapacity(sizeLimit: string | undefined, pod: ReadonlyPod): number | undefined {
  const limited = (pod.spec?.containers ?? []).every(c => c.resources?.limits?.['memory'] !== undefined);
  const limits = [sizeLimit, limited ? podLimits(pod)['memory'] : undefined].flatMap(text => {
    const bytes = text === undefined ? 0 : Number(scaledValue(parseQuantity(text), 0));
    return bytes > 0 ? [bytes] : [];
  });
  return limits.length === 0 ? undefined : Math.min(DEFAULT_CAPACITY, ...limits);
}
