import type { Conversion } from './conversion.js';
import type { KindSchema } from './kind-schema.js';
import type { ResourceInfo } from './resource-info.js';
import type { Strategy } from './strategy.js';

/** A served resource: its data, what its objects look like, and what it does. */
export interface CatalogEntry {
  readonly info: ResourceInfo;
  readonly schema: KindSchema;
  readonly strategy: Strategy;
  /** Of kinds whose versions are known at run time only. */
  readonly conversion?: Conversion;
}

/**
 * Everything the server serves. Built-in entries come first and never change; CRDs add and remove theirs at run time,
 * which moves `generation` so that discovery and OpenAPI are made anew.
 */
export interface Catalog {
  readonly generation: number;
  entries(): readonly CatalogEntry[];
  /** By path: group, version, plural. */
  find(group: string, version: string, plural: string): CatalogEntry | undefined;
  /** By body: apiVersion and kind. */
  findKind(group: string, version: string, kind: string): CatalogEntry | undefined;
  /** What a body is that is no object of a resource, e.g. an autoscaling/v1 Scale. */
  readonly body: (group: string, version: string, kind: string) => KindSchema | undefined;
  /** By resourceId, in the preferred version. */
  preferred(resource: string): CatalogEntry | undefined;
  /** What a group-version serves, in no order. */
  served(group: string, version: string): readonly CatalogEntry[];
  /** Group-versions in discovery order. */
  groupVersions(): readonly { group: string; version: string }[];
}
