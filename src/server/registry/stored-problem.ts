import type { Catalog, CatalogEntry } from '../../api/catalog.js';
import { apiVersionOf } from '../../api/resource-info.js';
import { atOnce } from '../../machinery/steps.js';
import { isStatusError } from '../../machinery/status.js';
import { resourcePrefix } from '../../storage/keys.js';

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
      // Metadata is the same in all kinds: any that is built in tells what may be in it.
      const plain = catalog.entries().find(each => isStoredAs(each) && each.info.dynamic !== true);
      const { metadata } = JSON.parse(value.toString('utf8')) as { readonly metadata?: unknown };
      if (plain === undefined) return undefined;
      const body = { apiVersion: apiVersionOf(plain.info), kind: plain.info.kind, metadata };
      atOnce(plain.schema.decode(Buffer.from(JSON.stringify(body)), 'application/json'));
    }
    return undefined;
  } catch (error) {
    if (isStatusError(error)) return error.message;
    throw error;
  }
}
