export type Verb = 'create' | 'delete' | 'deletecollection' | 'get' | 'list' | 'patch' | 'update' | 'watch';

export interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  /** "name" for the first column, else "". */
  readonly format: string;
  readonly description: string;
  /** 0: always shown; 1: with -o wide. */
  readonly priority: number;
  /**
   * Where the cell comes from, as a path of field names ("spec.type"); the special sources "name" and "age". Absent:
   * the strategy's `cells` computes the row.
   */
  readonly source?: string;
}

export type MetadataRules = 'core' | 'machinery' | 'none';

export interface SubresourceInfo {
  /** "status", "scale", "binding", ... without the parent. */
  readonly name: string;
  readonly verbs: readonly Verb[];
  /** Kind of the subresource's body, with its group-version when it differs from the parent's. */
  readonly kind: string;
  readonly group: string;
  readonly version: string;
}

/**
 * One kind in one group-version, as data; what its objects look like is its KindSchema. Built from api-schemas/ for
 * built-in kinds, from a CustomResourceDefinition at run time. Everything that is generic over kinds iterates these.
 */
export interface ResourceInfo {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly listKind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  /** In the order the real server lists them in discovery. */
  readonly verbs: readonly Verb[];
  /** What discovery lists, where that is less than what is served. */
  readonly advertisedVerbs?: readonly Verb[];
  /**
   * Known at run time only. Upstream serves such kinds by a handler of their own, whose paths, 404s, 405s and discovery
   * entries differ from those of the kinds that it is built with.
   */
  readonly dynamic?: true;
  readonly subresources: readonly SubresourceInfo[];
  /** The group-version the objects are stored in; another entry serves that version. */
  readonly storage: { readonly group: string; readonly version: string; readonly resource: string };
  /** Discovery's storageVersionHash. */
  readonly storageVersionHash?: string;
  /** False for kinds that are only posted to (reviews, bindings). */
  readonly stored: boolean;
  /** Field selector label → path into the object ("spec.nodeName"). metadata.name and metadata.namespace are implied. */
  readonly selectableFields: ReadonlyMap<string, string>;
  /** Whether unknown labels are refused as "field label not supported" (kinds with a custom conversion upstream). */
  readonly customFieldLabels: boolean;
  /** What moves metadata.generation: nothing, a change of spec, or of anything outside metadata and status. */
  readonly generation: 'none' | 'spec' | 'content';
  /** What DELETE answers when the object is gone at once. */
  readonly deleteReturns: 'object' | 'status';
  readonly allowCreateOnUpdate: boolean;
  readonly allowUnconditionalUpdate: boolean;
  /** Default propagation when a DELETE names none. */
  readonly defaultPropagation: 'Background' | 'Orphan';
  /** Paths that a writer of the main resource ('') or of a subresource cannot own or change, e.g. {'': ['status'], status: ['spec']}. */
  readonly resetFields: Readonly<Record<string, readonly string[]>>;
  /** Paths that such a writer cannot own though it may change them, for kinds whose strategy puts back only a part. */
  readonly unownedFields?: Readonly<Record<string, readonly string[]>>;
  /**
   * Who checks metadata in the kind's own validation: the rules of core (finalizers without '/' are standard ones), the
   * plain ones of apimachinery, or nobody but generic code.
   */
  readonly metadataRules: { readonly create: MetadataRules; readonly update: MetadataRules };
  /** Which name check applies to metadata.name. */
  readonly nameFormat: 'subdomain' | 'label' | 'label1035' | 'path' | 'none';
  /** Warning header of every request to it, e.g. of v1 Endpoints. */
  readonly deprecationWarning?: string;
}

/** "pods" or "deployments.apps": how maps of the catalog are keyed when the version does not matter. */
export const resourceId = (r: { group: string; plural: string }): string =>
  r.group === '' ? r.plural : `${r.plural}.${r.group}`;

export const apiVersionOf = (gv: { group: string; version: string }): string =>
  gv.group === '' ? gv.version : `${gv.group}/${gv.version}`;
