import type { Clock } from '../../machinery/clock.js';
import { humanAge } from '../../machinery/duration.js';
import type { DeepReadonly, KubeObject } from '../../machinery/types.js';
import type { CatalogEntry } from '../../resources/catalog.js';
import type { Column, SubresourceInfo } from '../../resources/resource-info.js';
import type { StoredObject } from '../registry/types.js';

export type IncludeObject = 'None' | 'Metadata' | 'Object';

/** How rows of one answer are made. */
export interface TableOptions {
  readonly entry: CatalogEntry;
  readonly subresource?: SubresourceInfo | undefined;
  /** Version of meta.k8s.io. */
  readonly version: 'v1' | 'v1beta1';
  readonly include: IncludeObject;
  readonly clock: Clock;
}

/** meta/v1 ObjectMeta's own columns, for kinds that define none (registry/rest/table.go). */
const DEFAULT_COLUMNS: readonly Column[] = [
  {
    name: 'Name',
    type: 'string',
    format: 'name',
    description:
      'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names',
    priority: 0,
    source: 'name',
  },
  {
    name: 'Created At',
    type: 'date',
    format: '',
    description:
      'CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata',
    priority: 0,
    source: 'metadata.creationTimestamp',
  },
];

/** Columns of what an endpoint answers: its resource, or a subresource that shows it as another kind. */
function columnsOf({ info, strategy }: CatalogEntry, subresource: SubresourceInfo | undefined): readonly Column[] {
  if (subresource === undefined || subresource.kind === info.kind) return info.columns;
  const behaviour = strategy.subresources?.[subresource.name];
  return (behaviour?.kind === 'view' ? behaviour.columns : undefined) ?? DEFAULT_COLUMNS;
}

/** JSON of columnDefinitions. */
export const columnDefinitions = (entry: CatalogEntry, subresource?: SubresourceInfo): string =>
  JSON.stringify(
    columnsOf(entry, subresource).map(({ name, type, format, description, priority }) => ({
      name,
      type,
      format,
      description,
      priority,
    })),
  );

function valueAt(object: DeepReadonly<KubeObject>, path: string): unknown {
  let value: unknown = object;
  for (const part of path.split('.')) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string, unknown>)[part];
  }
  return value;
}

const ZERO: Readonly<Record<Column['type'], unknown>> = {
  string: '',
  integer: 0,
  number: 0,
  boolean: false,
  date: null,
};

function sourcedCell(object: DeepReadonly<KubeObject>, column: Column, nowMs: number): unknown {
  if (column.source === 'name') return object.metadata.name ?? '';
  if (column.source === 'age') return humanAge(object.metadata.creationTimestamp, nowMs);
  const value = valueAt(object, column.source ?? '');
  if (value === undefined || value === null) return ZERO[column.type];
  if (column.type === 'integer' && Array.isArray(value)) return value.length;
  if (column.type === 'string') return typeof value === 'string' ? value : JSON.stringify(value);
  return value;
}

/** One row as JSON. `object` is what is shown; `encoded` gives its bytes for includeObject=Object. */
function row(object: DeepReadonly<KubeObject>, encoded: () => string, options: TableOptions): string {
  const nowMs = options.clock.now();
  const { strategy } = options.entry;
  const columns = columnsOf(options.entry, options.subresource);
  const computed = columns.some(c => c.source === undefined) ? strategy.cells?.(object, nowMs) : undefined;
  const cells = computed?.cells ?? columns.map(c => sourcedCell(object, c, nowMs));
  const conditions =
    computed?.conditions === undefined || computed.conditions.length === 0
      ? ''
      : `,"conditions":${JSON.stringify(computed.conditions)}`;
  return `{"cells":${JSON.stringify(cells)}${conditions},"object":${rowObject(object, encoded, options)}}`;
}

function rowObject(object: DeepReadonly<KubeObject>, encoded: () => string, options: TableOptions): string {
  switch (options.include) {
    case 'None':
      return 'null';
    case 'Object':
      return encoded();
    case 'Metadata':
      return partialMetadata(object, options.entry, options.version);
  }
}

/** ObjectMeta's fields in the order that Go writes them. */
const META_FIELDS = [
  'name',
  'generateName',
  'namespace',
  'selfLink',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'labels',
  'annotations',
  'ownerReferences',
  'finalizers',
  'managedFields',
] as const;

function metadataText(metadata: Readonly<Record<string, unknown>>): string {
  const ordered: Record<string, unknown> = {};
  for (const field of META_FIELDS) if (metadata[field] !== undefined) ordered[field] = metadata[field];
  return JSON.stringify(ordered);
}

/** Upstream transforms answers before it converts them from its internal types. */
export const internalMetadata = (
  { strategy }: CatalogEntry,
  object: DeepReadonly<KubeObject>,
): KubeObject['metadata'] => (strategy.internalMetadata?.(object) ?? object.metadata) as KubeObject['metadata'];

/** A PartialObjectMetadata, as JSON. */
export const partialMetadata = (object: DeepReadonly<KubeObject>, entry: CatalogEntry, version: string): string =>
  `{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/${version}","metadata":${metadataText({ ...internalMetadata(entry, object) })}}`;

export const storedRow = (stored: StoredObject, options: TableOptions): string =>
  row(stored.object, () => stored.encode().toString('utf8'), options);

export const objectRow = (object: DeepReadonly<KubeObject>, options: TableOptions): string =>
  row(object, () => JSON.stringify(object), options);

/** A Table up to its rows. `columns` is the JSON of columnDefinitions, or "null" in all but the first event of a watch. */
export const tableHead = (version: string, metadata: object, columns: string): string =>
  `{"kind":"Table","apiVersion":"meta.k8s.io/${version}","metadata":${JSON.stringify(metadata)},"columnDefinitions":${columns},"rows":[`;
export const TABLE_TAIL = ']}';
