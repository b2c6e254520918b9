import type { StructType } from '../schema.js';
import type { DeepReadonly, KubeObject } from '../types.js';

/**
 * Server-side apply and ownership tracking: the field manager of one kind in one version.
 * Source: apimachinery pkg/util/managedfields and sigs.k8s.io/structured-merge-diff.
 *
 * Both operations expect objects as the server keeps them (decoded, defaulted), with apiVersion and kind set.
 */
export interface FieldManager {
  /**
   * For create (live undefined), update and the non-apply patches: sets object.metadata.managedFields so that `manager`
   * owns what it changed. Call it after decoding and defaulting, before admission. Never throws for bad
   * managedFields: what cannot be understood is dropped.
   */
  update(live: DeepReadonly<KubeObject> | undefined, object: KubeObject, write: FieldWrite): void;
  /**
   * Merges `applied` (as the client sent it, undefaulted) into `live`; returns a new object with managedFields set,
   * to be defaulted and validated by the caller. `live` undefined: the object is being created.
   * @throws StatusError 409 with FieldManagerConflict causes, 400, or a reasonless 500 for schema errors
   */
  apply(
    live: DeepReadonly<KubeObject> | undefined,
    applied: DeepReadonly<KubeObject>,
    write: FieldWrite & { readonly force: boolean },
  ): KubeObject;
}

export interface FieldWrite {
  readonly manager: string;
  /** "" for the main resource, "status", "scale", ... */
  readonly subresource: string;
  /** Clock.now() */
  readonly nowMs: number;
}

export interface FieldManagerOptions {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** Paths ("spec", "metadata.annotations") that a write through '' or a subresource cannot own; see ResourceInfo. */
  readonly resetFields: Readonly<Record<string, readonly string[]>>;
  /**
   * Converts an object to another version of the kind, for entries recorded there; undefined: the version is no longer
   * served. Needed only for kinds with several versions that differ in shape.
   */
  convert?(object: DeepReadonly<KubeObject>, apiVersion: string): DeepReadonly<KubeObject> | undefined;
}

export type CreateFieldManager = (type: StructType, options: FieldManagerOptions) => FieldManager;
