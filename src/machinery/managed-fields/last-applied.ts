import { newPace } from '../pace.js';
import type { StructType } from '../schema.js';
import type { Steps } from '../steps.js';
import type { DeepReadonly, KubeObject } from '../types.js';
import { annotationsSize, TOTAL_ANNOTATION_SIZE_LIMIT } from '../validation/object-meta.js';
import { compareObjects } from './compare.js';
import { difference, type FieldSet } from './field-set.js';
import { SchemaError, type JsonMap } from './shape.js';
import { toFieldSet } from './to-field-set.js';
import { withoutManagedFields } from './tracked-object.js';
import { validateConfiguration } from './validate.js';

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** The kind whose objects kubectl has applied, in the version they are given in. */
export interface AppliedType {
  readonly apiVersion: string;
  readonly struct: StructType;
  readonly unstructured: boolean;
}

/** What kubectl's client-side apply set and nobody changed since: server-side apply may take it over. */
export function* setByClientSideApply(
  live: DeepReadonly<KubeObject> | undefined,
  { apiVersion, struct, unstructured }: AppliedType,
): Steps<FieldSet | undefined> {
  const text = live?.metadata.annotations?.[LAST_APPLIED];
  if (live === undefined || text === undefined || text === '') return undefined;
  try {
    const last: unknown = JSON.parse(text);
    if (typeof last !== 'object' || last === null || Array.isArray(last)) return undefined;
    const config = last as JsonMap;
    if (config['apiVersion'] !== apiVersion) return undefined;
    yield* validateConfiguration(config, struct);
    const right = unstructured ? 'raw' : 'typed';
    const changes = yield* compareObjects(config, withoutManagedFields(live), struct, { left: 'raw', right });
    let set = yield* toFieldSet(config, struct, 'raw');
    for (const change of [changes.modified, changes.added, changes.removed])
      set = yield* difference(set, change, newPace());
    return set;
  } catch (error) {
    if (error instanceof SchemaError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const sortKeys = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, member]) => [key, sortKeys(member)]));
};

/** kubectl apply --server-side keeps the annotation of client-side apply current, so that both can be used in turn. */
export function refreshLastApplied(object: KubeObject, applied: DeepReadonly<KubeObject>): void {
  const annotations = object.metadata.annotations;
  if (annotations === undefined || annotations === null || !annotations[LAST_APPLIED]) return;
  const metadata = { ...((applied as Partial<typeof applied>).metadata ?? {}) };
  if (metadata.annotations !== undefined && metadata.annotations !== null) {
    const { [LAST_APPLIED]: _, ...others } = metadata.annotations;
    metadata.annotations = others;
  }
  annotations[LAST_APPLIED] = `${JSON.stringify(sortKeys({ ...applied, metadata }))}\n`;
  if (annotationsSize(annotations) > TOTAL_ANNOTATION_SIZE_LIMIT) delete annotations[LAST_APPLIED];
}
