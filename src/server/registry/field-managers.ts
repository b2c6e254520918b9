import {
  createFieldManager,
  type FieldManager,
  type FieldManagerOptions,
} from '../../machinery/managed-fields/field-manager.js';
import type { StructType } from '../../machinery/schema.js';
import type { ResourceInfo, SubresourceInfo } from '../../resources/resource-info.js';

/** The field managers of a resource: of the object itself and of the views of it (scale). */
export interface FieldManagers {
  readonly main: FieldManager;
  view(subresource: SubresourceInfo, type: StructType): FieldManager;
}

/** `convert` knows the other versions of the kind; managers are made when first needed. */
export function createFieldManagers(
  info: ResourceInfo,
  convert: NonNullable<FieldManagerOptions['convert']>,
): FieldManagers {
  const { group, version, kind, custom } = info;
  let main: FieldManager | undefined;
  const views = new Map<string, FieldManager>();
  return {
    get main() {
      const unstructured = custom === true;
      const resetFields = nobodysFields(info);
      return (main ??= createFieldManager(info.type, { group, version, kind, resetFields, unstructured, convert }));
    },
    view(subresource, type) {
      let manager = views.get(subresource.name);
      if (manager === undefined) {
        manager = createFieldManager(type, { ...subresource, resetFields: {} });
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
