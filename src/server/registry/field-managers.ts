import {
  createFieldManager,
  type FieldManager,
  type FieldManagerOptions,
} from '../../machinery/managed-fields/field-manager.js';
import type { CatalogEntry } from '../../resources/catalog.js';
import type { KindSchema } from '../../resources/kind-schema.js';
import type { ResourceInfo, SubresourceInfo } from '../../resources/resource-info.js';

/** The field managers of a resource: of the object itself and of the views of it (scale). */
export interface FieldManagers {
  readonly main: FieldManager;
  view(subresource: SubresourceInfo, body: KindSchema): FieldManager;
}

/** `convert` knows the other versions of the kind; managers are made when first needed. */
export function createFieldManagers(
  { info, schema }: Pick<CatalogEntry, 'info' | 'schema'>,
  convert: NonNullable<FieldManagerOptions['convert']>,
): FieldManagers {
  const { group, version, kind } = info;
  let main: FieldManager | undefined;
  const views = new Map<string, FieldManager>();
  return {
    get main() {
      const { struct, unstructured } = schema.fields;
      const resetFields = nobodysFields(info);
      return (main ??= createFieldManager(struct, { group, version, kind, resetFields, unstructured, convert }));
    },
    view(subresource, body) {
      let manager = views.get(subresource.name);
      if (manager === undefined) {
        manager = createFieldManager(body.fields.struct, { ...subresource, resetFields: {} });
        views.set(subresource.name, manager);
      }
      return manager;
    },
  };
}

/** What a writer of each endpoint cannot own: what is put back anyway, and what else the kind says. */
function nobodysFields({ resetFields, unownedFields = {} }: ResourceInfo): FieldManagerOptions['resetFields'] {
  const endpoints = new Set([...Object.keys(resetFields), ...Object.keys(unownedFields)]);
  return Object.fromEntries(
    [...endpoints].map(name => [name, [...(resetFields[name] ?? []), ...(unownedFields[name] ?? [])]]),
  );
}
