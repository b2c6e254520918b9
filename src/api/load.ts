import { createHash } from 'node:crypto';
import type { StructType } from '../machinery/schema.js';
import { readApiSchemas, type RawResource, type SchemaFile, type SchemaIndex, type ServedBy } from './api-schemas.js';
import { linkTypes } from './link-types.js';
import type { Column, ResourceInfo, Verb } from './resource-info.js';

/** A kind that can be a body: of a resource, a list, a subresource, an option. */
export interface KindType {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly type: StructType;
  /** Versions that are not served but may stand in a body; they have the same fields. */
  readonly alsoReads?: readonly string[];
}

/** A resource of api-schemas/, with what its schema object is made of. */
export interface BuiltIn extends ResourceInfo {
  readonly type: StructType;
  readonly columns: readonly Column[];
  /** Fields that upstream's internal type holds as plain values: a zero object has them, too (spec.replicas). */
  readonly plainFields?: readonly string[];
}

/** The built-in API: types by name and by kind, resources in discovery order. */
export interface Api {
  /** By short name "core.v1.Pod" or full name "io.k8s.api.core.v1.Pod". */
  type(name: string): StructType | undefined;
  kind(group: string, version: string, kind: string): KindType | undefined;
  readonly kinds: readonly KindType[];
  readonly resources: readonly BuiltIn[];
  readonly groupVersions: readonly { readonly group: string; readonly version: string }[];
}

const ALL_VERBS: readonly Verb[] = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

/** First 8 bytes of sha256("group/version/kind"), as discovery shows it (kubernetes pkg endpoints/discovery). */
export const storageVersionHash = (group: string, version: string, kind: string): string =>
  createHash('sha256').update(`${group}/${version}/${kind}`).digest().subarray(0, 8).toString('base64');

/**
 * Reads api-schemas/ and links it; types are linked on first use, so this costs a few milliseconds.
 * @throws Error when a file is missing, or names a type that is not there
 */
export function loadApi(folder?: string, servedBy: ServedBy = 'groupVersions'): Api {
  const { index, files } = readApiSchemas(folder, servedBy);
  const types = linkTypes(files);
  const kinds = new Map<string, KindType>();
  const unserved = new Map<string, KindType>();
  const resources: BuiltIn[] = [];
  for (const [name, file] of files) {
    for (const [kind, raw] of Object.entries(file.types)) {
      const type = types.get(`${name}.${kind}`);
      if (raw.kind !== true || type === undefined) continue;
      const { group, version } = name === 'meta.v1' ? { group: '', version: 'v1' } : file;
      const known = {
        group,
        version,
        kind,
        type,
        ...(raw.alsoReads === undefined ? {} : { alsoReads: raw.alsoReads }),
      };
      kinds.set(`${group}/${version}/${kind}`, known);
      for (const other of raw.alsoReads ?? []) unserved.set(`${group}/${other}/${kind}`, known);
    }
    for (const raw of file.resources) {
      const type = types.get(`${name}.${raw.kind}`);
      if (type === undefined) throw new Error(`api-schemas/${name}.json: no type for the resource ${raw.plural}`);
      resources.push(resourceInfo(file, raw, type, index));
    }
  }
  const byFullName = new Map([...types.values()].map(type => [type.name, type]));
  return {
    type: name => types.get(name) ?? byFullName.get(name),
    kind(group, version, kind) {
      const name = `${group}/${version}/${kind}`;
      return kinds.get(name) ?? unserved.get(name);
    },
    kinds: [...kinds.values()],
    resources,
    groupVersions: index[servedBy].flatMap(name => {
      const file = files.get(name);
      return file === undefined ? [] : [{ group: file.group, version: file.version }];
    }),
  };
}

function resourceInfo(file: SchemaFile, raw: RawResource, type: StructType, index: SchemaIndex): BuiltIn {
  const { group, version } = file;
  const stored = raw.stored ?? true;
  const storage = raw.storage ?? { group, version };
  return {
    group,
    version,
    kind: raw.kind,
    listKind: raw.listKind ?? `${raw.kind}List`,
    plural: raw.plural,
    singular: raw.singular ?? raw.kind.toLowerCase(),
    shortNames: raw.shortNames ?? [],
    categories: raw.categories ?? [],
    namespaced: raw.namespaced ?? true,
    verbs: raw.verbs ?? ALL_VERBS,
    subresources: (raw.subresources ?? []).map(sub => ({ kind: raw.kind, group, version, ...sub })),
    storage: { ...storage, resource: raw.plural },
    ...(stored
      ? { storageVersionHash: storageVersionHash(storage.group, raw.encodedAs ?? storage.version, raw.kind) }
      : {}),
    stored,
    type,
    columns: columns(raw, index),
    selectableFields: new Map(Object.entries(raw.selectableFields ?? {})),
    customFieldLabels: raw.customFieldLabels ?? false,
    generation: raw.generation ?? 'none',
    deleteReturns: raw.deleteReturns ?? 'status',
    allowCreateOnUpdate: raw.allowCreateOnUpdate ?? false,
    allowUnconditionalUpdate: raw.allowUnconditionalUpdate ?? true,
    defaultPropagation: raw.defaultPropagation ?? 'Background',
    resetFields: raw.resetFields ?? {},
    ...(raw.unownedFields === undefined ? {} : { unownedFields: raw.unownedFields }),
    nameFormat: raw.nameFormat ?? 'subdomain',
    metadataRules: { create: 'core', update: 'core', ...raw.metadataRules },
    ...(raw.plainFields === undefined ? {} : { plainFields: raw.plainFields }),
    ...(raw.deprecationWarning === undefined ? {} : { deprecationWarning: raw.deprecationWarning }),
  };
}

/** What upstream's TableConvertor falls back to for kinds without printers. */
const DEFAULT_COLUMNS: readonly string[] = ['Name', 'Created At'];

function columns(raw: RawResource, index: SchemaIndex): Column[] {
  return (raw.columns ?? DEFAULT_COLUMNS).map(entry => {
    const column = typeof entry === 'string' ? index.columns[entry] : entry;
    if (column === undefined) throw new Error(`api-schemas: ${raw.plural} has an unknown column`);
    return { format: '', priority: 0, ...column };
  });
}
