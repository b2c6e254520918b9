import type { Clock } from '../../machinery/clock.js';
import type { DeepReadonly, KubeObject } from '../../machinery/types.js';
import type { CatalogEntry } from '../../api/catalog.js';
import { columnsOf, NAME_COLUMN, type Columns } from '../../api/columns.js';
import type { Column, SubresourceInfo } from '../../api/resource-info.js';
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
  { ...NAME_COLUMN, source: 'name' },
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

const DEFAULT_TABLE = columnsOf(DEFAULT_COLUMNS);

/** Columns of what an endpoint answers: its resource, or a subresource that shows it as another kind. */
function tableOf({ info, schema, strategy }: CatalogEntry, subresource: SubresourceInfo | undefined): Columns {
  if (subresource === undefined || subresource.kind === info.kind) return schema.columns;
  const behaviour = strategy.subresources?.[subresource.name];
  return (behaviour?.kind === 'view' ? behaviour.columns : undefined) ?? DEFAULT_TABLE;
}

/** JSON of columnDefinitions. */
export const columnDefinitions = (entry: CatalogEntry, subresource?: SubresourceInfo): string =>
  JSON.stringify(tableOf(entry, subresource).definitions);

/** What stands behind the cells of a row, as JSON. */
interface Shown {
  whole(): string;
  metadata(): string;
}

/** One row as JSON. */
function row(object: DeepReadonly<KubeObject>, shown: Shown, options: TableOptions): string {
  const { cells, conditions: found } = tableOf(options.entry, options.subresource).row(object, options.clock.now());
  const conditions = found === undefined || found.length === 0 ? '' : `,"conditions":${JSON.stringify(found)}`;
  return `{"cells":${JSON.stringify(cells)}${conditions},"object":${rowObject(shown, options.include)}}`;
}

function rowObject(shown: Shown, include: IncludeObject): string {
  switch (include) {
    case 'None':
      return 'null';
    case 'Object':
      return shown.whole();
    case 'Metadata':
      return shown.metadata();
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

function orderedText(metadata: Readonly<Record<string, unknown>>): string {
  const ordered: Record<string, unknown> = {};
  for (const field of META_FIELDS) if (metadata[field] !== undefined) ordered[field] = metadata[field];
  return JSON.stringify(ordered);
}

/** Upstream transforms answers before it converts them from its internal types. */
export const internalMetadata = (
  { strategy }: CatalogEntry,
  object: DeepReadonly<KubeObject>,
): KubeObject['metadata'] => (strategy.internalMetadata?.(object) ?? object.metadata) as KubeObject['metadata'];

const partialText = (metadata: string, version: string): string =>
  `{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/${version}","metadata":${metadata}}`;

/** A PartialObjectMetadata, as JSON. */
export const partialMetadata = (object: DeepReadonly<KubeObject>, entry: CatalogEntry, version: string): string =>
  partialText(orderedText({ ...internalMetadata(entry, object) }), version);

/** The same of what is stored, whose bytes have it, in Go's order where it is a struct in Go. */
export function storedMetadata(stored: StoredObject, entry: CatalogEntry, version: string): string {
  const asIs = entry.schema.form === 'struct' && entry.strategy.internalMetadata === undefined;
  const text = asIs ? stored.metadataText() : undefined;
  return text === undefined ? partialMetadata(stored.object, entry, version) : partialText(text, version);
}

export const storedRow = (stored: StoredObject, options: TableOptions): string =>
  row(
    stored.object,
    {
      whole: () => stored.encode().toString('utf8'),
      metadata: () => storedMetadata(stored, options.entry, options.version),
    },
    options,
  );

export const objectRow = (object: DeepReadonly<KubeObject>, options: TableOptions): string =>
  row(
    object,
    {
      whole: () => JSON.stringify(object),
      metadata: () => partialMetadata(object, options.entry, options.version),
    },
    options,
  );

/** A Table up to its rows. `columns` is the JSON of columnDefinitions, or "null" in all but the first event of a watch. */
export const tableHead = (version: string, metadata: object, columns: string): string =>
  `{"kind":"Table","apiVersion":"meta.k8s.io/${version}","metadata":${JSON.stringify(metadata)},"columnDefinitions":${columns},"rows":[`;
export const TABLE_TAIL = ']}';
