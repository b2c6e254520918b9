import type { FieldManagerOptions } from '../../machinery/managed-fields/field-manager.js';
import { atOnce } from '../../machinery/steps.js';
import type { KubeObject } from '../../machinery/types.js';
import type { Catalog, CatalogEntry } from '../../api/catalog.js';
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
      if (fits !== undefined && !atOnce(fits(converted))) throw new MisfitError();
      return { object: converted, struct };
    };
  return (object, to, from) => {
    const source = inVersion(from);
    const target = inVersion(to);
    if (source === undefined || target === undefined) return undefined;
    return { object: convertObject(object as KubeObject, source, target), struct: target.schema.fields.struct };
  };
}
