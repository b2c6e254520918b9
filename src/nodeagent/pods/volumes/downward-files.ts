import { fieldValue, resourceValue } from '../field-ref.js';
import { containersOf } from '../types.js';
import type { Files } from './own-trees.js';
import type { VolumeInput } from './volume-input.js';

export type DownwardItems = readonly {
  readonly path: string;
  readonly mode?: number;
  readonly fieldRef?: { readonly fieldPath: string };
  readonly resourceFieldRef?: {
    readonly containerName?: string;
    readonly resource: string;
    readonly divisor?: string;
  };
}[];

/** What a Pod may read of itself (downward API), a file for each item. */
export function downwardFiles(
  items: DownwardItems,
  defaultMode: number,
  { pod, addresses, allocatable }: VolumeInput,
): Files {
  const files: Files = {};
  for (const { path, fieldRef, resourceFieldRef, mode } of items) {
    const put = (content: string): void => void (files[path] = { content, mode: mode ?? defaultMode });
    if (fieldRef !== undefined) put(fieldValue(pod, fieldRef.fieldPath, addresses) ?? '');
    else if (resourceFieldRef !== undefined) {
      const owner = containersOf(pod).find(c => c.spec.name === resourceFieldRef.containerName)?.spec;
      const { resource, divisor } = resourceFieldRef;
      put(owner === undefined ? '' : resourceValue(owner, resource, divisor, allocatable));
    }
  }
  return files;
}
