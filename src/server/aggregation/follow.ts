import type { ObjectKey } from '../../machinery/types.js';
import type { Objects } from '../../api/strategy.js';

/** Calls `onChange` for every object there is, and whenever one changes, until the signal. */
export function follow(
  objects: Pick<Objects, 'list' | 'subscribe'>,
  resource: string,
  onChange: (key: ObjectKey) => void,
  signal: AbortSignal,
): void {
  objects.subscribe?.(resource, onChange, signal);
  for (const { metadata } of objects.list(resource))
    onChange({ namespace: metadata.namespace ?? '', name: metadata.name ?? '' });
}
