import {
  createFieldManager,
  type FieldManager,
  type FieldManagerOptions,
} from '../../machinery/managed-fields/field-manager.js';
import { reasonlessError } from '../../machinery/status.js';
import type { CatalogEntry } from '../../api/catalog.js';
import type { KindSchema, MergeSchema } from '../../api/kind-schema.js';
import type { ResourceInfo, SubresourceInfo } from '../../api/resource-info.js';

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
  const createMain = (): FieldManager => {
    const { struct, unstructured } = schema.fields;
    const resetFields = nobodysFields(info);
    const manager = createFieldManager(struct, { group, version, kind, resetFields, unstructured, convert });
    return whereItFits(manager, schema.fields);
  };
  return {
    get main() {
      return (main ??= createMain());
    },
    view(subresource, body) {
      let manager = views.get(subresource.name);
      if (manager === undefined) {
        manager = createFieldManager(body.fields.struct, { ...subresource, resetFields: {} });
        if (info.dynamic === true) manager = ofDynamicKind(manager, subresource);
        views.set(subresource.name, manager);
      }
      return manager;
    },
  };
}

/** An object that has not the types of a version that somebody owns its fields in. */
export class MisfitError extends Error {}

/** As upstream's UpdateNoErrors: what does not fit its types is stored, and nobody owns it. */
function whereItFits(manager: FieldManager, { fits }: MergeSchema): FieldManager {
  if (fits === undefined) return manager;
  return {
    ...manager,
    *update(live, object, write) {
      try {
        if ((live === undefined || (yield* fits(live))) && (yield* fits(object)))
          return yield* manager.update(live, object, write);
      } catch (error) {
        if (!(error instanceof MisfitError)) throw error;
      }
      delete object.metadata.managedFields;
    },
  };
}

/**
 * Where nobody owns anything of a view, applying it makes an owner of what is there, for which upstream wants the view in
 * a form that it has for the kinds it is built with only.
 */
function ofDynamicKind(manager: FieldManager, { group, version, kind }: SubresourceInfo): FieldManager {
  const apiVersion = `${group}/${version}`;
  return {
    ...manager,
    apply(live, applied, write) {
      if (live !== undefined && (live.metadata.managedFields ?? []).length === 0)
        throw reasonlessError(
          `failed to create manager for existing fields: failed to convert live object (/; ${apiVersion}, Kind=${kind}) to proper version: request to convert CR to an invalid group/version: ${apiVersion}`,
        );
      return manager.apply(live, applied, write);
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
