import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Column, ResourceInfo, SubresourceInfo, Verb } from './resource-info.js';

/**
 * api-schemas/: what the API serves, as data. One file per group-version, in our own form:
 *
 *   "resources": what is served, one entry per kind; what an entry leaves out has the usual value (see `resourceInfo`)
 *   "types": one entry per Go struct, fields in Go's order
 *
 * A field's type is written as Go would: "*int32", "[]Container", "map[string]quantity", "core.v1.PodTemplateSpec".
 * Lower-case words are scalars; a star is a pointer: an explicit zero is kept.
 */
export interface SchemaIndex {
  /** File names without .json, in discovery order. */
  readonly groupVersions: readonly string[];
  /** Of group-versions that other servers of ours serve, behind the API server. */
  readonly aggregated: readonly string[];
  /** Files that hold types only. */
  readonly types: readonly string[];
  /** Columns that many kinds share, used by name. */
  readonly columns: Readonly<Record<string, RawColumn>>;
}

export interface SchemaFile {
  readonly group: string;
  readonly version: string;
  /** Prefix of the types' OpenAPI names, e.g. "io.k8s.api.core.v1". */
  readonly package: string;
  readonly resources: readonly RawResource[];
  readonly types: Readonly<Record<string, RawType>>;
}

export type RawColumn = Pick<Column, 'name' | 'type' | 'description'> & Partial<Column>;

export type RawResource = Pick<ResourceInfo, 'kind' | 'plural'> &
  Partial<Omit<ResourceInfo, 'columns' | 'selectableFields' | 'subresources' | 'storage' | 'metadataRules'>> & {
    readonly metadataRules?: Partial<ResourceInfo['metadataRules']>;
    /** The version whose form upstream's store holds, where it is not the served one: discovery's hash shows it. */
    readonly encodedAs?: string;
    readonly plainFields?: readonly string[];
    readonly columns?: readonly (string | RawColumn)[];
    readonly selectableFields?: Readonly<Record<string, string>>;
    readonly subresources?: readonly (Partial<SubresourceInfo> & { readonly name: string; readonly verbs: Verb[] })[];
    readonly storage?: { readonly group: string; readonly version: string };
  };

export interface RawType {
  /** The type is a kind of its group-version: it can be the body of a request or an answer. */
  readonly kind?: boolean;
  /** Other versions of the kind, not served, that a body may name: upstream still knows them. */
  readonly alsoReads?: readonly string[];
  /** Left out of OpenAPI documents. */
  readonly hidden?: boolean;
  readonly mapType?: 'atomic' | 'granular';
  /** For OpenAPI, where the installed models have no text. */
  readonly description?: string;
  /** The structs that Go embeds, outermost first: fields whose `pb` has outer numbers are theirs. */
  readonly embeds?: readonly string[];
  readonly fields: Readonly<Record<string, RawField>>;
}

export interface RawField {
  readonly type: string;
  /** Protobuf field number; [outer, inner] when Go embeds a struct that JSON flattens. */
  readonly pb?: number | readonly number[];
  /** What reflect prints for the type, where it is not what `type` says. */
  readonly go?: string;
  /** JSON tag: "always" has no omitempty; absent: omitempty. */
  readonly json?: 'always' | 'omitzero';
  readonly required?: boolean;
  /** Behind a feature gate that is off: served in the schema, but dropped from what is written. */
  readonly disabled?: boolean;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly itemsEnum?: readonly string[];
  readonly listType?: 'atomic' | 'set' | 'map';
  readonly listMapKeys?: readonly string[];
  readonly mapType?: 'atomic' | 'granular';
  readonly patchMergeKey?: string;
  readonly patchStrategy?: string;
  /** As that of a type. */
  readonly description?: string;
}

/** Finds a folder of the package (api-schemas, build/generated) from source, from build/ and from node_modules alike. */
export function packageFolder(name: string): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json')) && existsSync(join(folder, name))) return join(folder, name);
    if (folder === dirname(folder)) throw new Error(`the package has no folder ${name}`);
  }
}

const readJson = <T>(file: string): T => JSON.parse(readFileSync(file, 'utf8')) as T;

/** Whose group-versions: the API server's own, or those of other servers of ours behind it. */
export type ServedBy = 'groupVersions' | 'aggregated';

/** @throws Error when a file is missing or is not JSON */
export function readApiSchemas(
  folder = packageFolder('api-schemas'),
  servedBy: ServedBy = 'groupVersions',
): {
  index: SchemaIndex;
  files: ReadonlyMap<string, SchemaFile>;
} {
  const index = readJson<SchemaIndex>(join(folder, 'index.json'));
  const names = [...index[servedBy], ...index.types];
  return { index, files: new Map(names.map(name => [name, readJson<SchemaFile>(join(folder, `${name}.json`))])) };
}
