import type { FieldManagerOptions } from '../../machinery/managed-fields/field-manager.js';
import { cloneJson, jsonEqual } from '../../machinery/json-equal.js';
import { atOnce } from '../../machinery/steps.js';
import type { KubeObject } from '../../machinery/types.js';
import type { Catalog, CatalogEntry } from '../../api/catalog.js';
import type { KindSchema } from '../../api/kind-schema.js';
import { apiVersionOf } from '../../api/resource-info.js';
import { MisfitError } from './field-managers.js';

const sameObjects = (a: CatalogEntry, b: CatalogEntry): boolean =>
  a.info.storage.group === b.info.storage.group && a.info.storage.resource === b.info.storage.resource;

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).filter(([, member]) => member !== null);
  return Object.fromEntries(members.map(([key, member]) => [key, withoutNulls(member)]));
}

/** The object in another served version of its kind, by way of the storage version. */
export function convertObject(object: KubeObject, from: CatalogEntry, to: CatalogEntry): KubeObject {
  // What apply has in between may have nulls, which no typed object has, and may have lost all of its metadata.
  const copy = withoutNulls(object) as KubeObject;
  (copy as Partial<KubeObject>).metadata ??= {};
  const stored = from.strategy.toStorage?.(copy) ?? copy;
  const converted = to.strategy.fromStorage?.(stored) ?? stored;
  return { ...converted, apiVersion: apiVersionOf(to.info), kind: to.info.kind };
}

/** Whether a version of a kind knows all that an object says beside its metadata. */
function declares(schema: KindSchema, { metadata: _metadata, ...said }: KubeObject): boolean {
  if (schema.converted === undefined) return true;
  const known: KubeObject = { ...cloneJson(said), kind: schema.kind, metadata: { name: 'any' } };
  schema.converted(known);
  const { metadata: _known, ...kept } = known;
  return jsonEqual({ ...said, kind: schema.kind }, kept);
}

/** What a field manager needs to understand entries that were recorded in other versions of the kind. */
export function createConverter(catalog: Catalog, entry: CatalogEntry): NonNullable<FieldManagerOptions['convert']> {
  const inVersion = (apiVersion: string): CatalogEntry | undefined =>
    apiVersion === apiVersionOf(entry.info)
      ? entry
      : catalog.entries().find(e => apiVersionOf(e.info) === apiVersion && sameObjects(e, entry));
  const { conversion } = entry;
  if (conversion !== undefined)
    return (object, to, from) => {
      const schema = conversion.schemaOf(to);
      if (schema === undefined || conversion.schemaOf(from) === undefined) return undefined;
      const { struct, fits } = schema.fields;
      const converted = { ...(object as KubeObject), apiVersion: to };
      // A field that the other version does not declare makes it no object of that version.
      if (fits !== undefined && !atOnce(fits(converted))) throw new MisfitError();
      if (!declares(schema, converted)) throw new MisfitError();
      return { object: converted, struct };
    };
  return (object, to, from) => {
    const source = inVersion(from);
    const target = inVersion(to);
    if (source === undefined || target === undefined) return undefined;
    return { object: convertObject(object as KubeObject, source, target), struct: target.schema.fields.struct };
  };
}
