import type { Steps } from '../machinery/steps.js';
import type { KubeObject } from '../machinery/types.js';
import type { CatalogEntry } from './catalog.js';

/** Mutates. What the schema says of absent values, then what the kind does. */
export function* defaultObject({ schema, strategy }: CatalogEntry, object: KubeObject): Steps<void> {
  yield* schema.applyDefaults(object);
  yield;
  strategy.default?.(object);
}
