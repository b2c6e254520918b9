import type { KubeObject } from '../machinery/types.js';
import type { KindSchema } from './kind-schema.js';

/**
 * Makes of objects of one kind, in whatever versions they are, the same objects in `apiVersion`, in the same order. What it
 * is given it may change. @throws StatusError
 */
export type Converter = (
  objects: readonly KubeObject[],
  apiVersion: string,
  signal: AbortSignal,
) => Promise<readonly KubeObject[]>;

/** The versions of a kind that is known at run time only, and how its objects get from one to another. */
export interface Conversion {
  /** Of every version, served or not; undefined: the kind has no such version. */
  schemaOf(apiVersion: string): KindSchema | undefined;
  /** Somebody is asked. undefined: an object says the same in all versions, and only its apiVersion differs. */
  readonly converter?: Converter;
}
