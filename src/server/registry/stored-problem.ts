import type { Catalog, CatalogEntry } from '../../api/catalog.js';
import { atOnce } from '../../machinery/steps.js';
import { isStatusError } from '../../machinery/status.js';
import { resourcePrefix } from '../../storage/keys.js';

/** Whose schema says what metadata is, for objects of kinds that are not known here. */
const PLAIN = { group: '', version: 'v1', plural: 'configmaps' } as const;

const isStoredAs = ({ info }: CatalogEntry): boolean =>
  info.stored && info.group === info.storage.group && info.version === info.storage.version;

/**
 * Why what somebody else has stored under a key cannot be an object of the kind that is kept there: its fields have other types.
 * Of kinds that are not served here, only metadata is looked at. Undefined: nothing is known against it. What the
 * values say is not judged.
 */
export function storedProblem(catalog: Catalog, key: string, value: Buffer): string | undefined {
  const entry = catalog.entries().find(each => isStoredAs(each) && key.startsWith(resourcePrefix(each.info.storage)));
  try {
    if (entry !== undefined) atOnce(entry.schema.decode(value, 'application/json'));
    else {
      const plain = catalog.find(PLAIN.group, PLAIN.version, PLAIN.plural);
      const { metadata } = JSON.parse(value.toString('utf8')) as { readonly metadata?: unknown };
      const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata };
      if (plain !== undefined) atOnce(plain.schema.decode(Buffer.from(JSON.stringify(body)), 'application/json'));
    }
    return undefined;
  } catch (error) {
    if (isStatusError(error)) return error.message;
    throw error;
  }
}
