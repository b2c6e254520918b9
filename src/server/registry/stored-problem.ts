import type { Catalog, CatalogEntry } from '../../api/catalog.js';
import { apiVersionOf } from '../../api/resource-info.js';
import { atOnce } from '../../machinery/steps.js';
import { isStatusError } from '../../machinery/status.js';
import type { KubeObject } from '../../machinery/types.js';
import { resourcePrefix } from '../../storage/keys.js';

const isStoredAs = ({ info }: CatalogEntry): boolean =>
  info.stored && info.group === info.storage.group && info.version === info.storage.version;

/** What is stored under a key, as the kind that is kept there reads it. */
export type Read =
  | { readonly entry: CatalogEntry; readonly object: KubeObject }
  /** Of a kind that is not served here. */
  | { readonly entry?: undefined; readonly object: KubeObject }
  | { readonly problem: string };

/**
 * Reads what somebody else has stored. Its problem is why it cannot be an object of the kind that is kept under its key: its
 * fields have other types. Of kinds that are not served here, only metadata is looked at. What the values say is not judged.
 */
export function createStoredReader(catalog: Catalog): (key: string, value: Buffer) => Read {
  const stored = catalog.entries().filter(isStoredAs);
  const byPrefix = stored.map(entry => ({ entry, prefix: resourcePrefix(entry.info.storage) }));
  // Metadata is the same in all kinds: any that is built in tells what may be in it.
  const plain = stored.find(each => each.info.dynamic !== true);
  return (key, value) => {
    const entry = byPrefix.find(({ prefix }) => key.startsWith(prefix))?.entry;
    try {
      if (entry !== undefined) return { entry, object: atOnce(entry.schema.decode(value, 'application/json')).object };
      const object = JSON.parse(value.toString('utf8')) as KubeObject;
      if (plain === undefined) return { object };
      const { metadata } = object as { readonly metadata?: unknown };
      const body = { apiVersion: apiVersionOf(plain.info), kind: plain.info.kind, metadata };
      atOnce(plain.schema.decode(Buffer.from(JSON.stringify(body)), 'application/json'));
      return { object };
    } catch (error) {
      if (isStatusError(error) || error instanceof SyntaxError) return { problem: error.message };
      throw error;
    }
  };
}

/** Why what somebody else has stored under a key cannot be an object; undefined: nothing is known against it. */
export type StoredProblem = (key: string, value: Buffer) => string | undefined;

/** By the kinds that there are now. */
export function createStoredProblem(catalog: Catalog): StoredProblem {
  const read = createStoredReader(catalog);
  return (key, value) => {
    const found = read(key, value);
    return 'problem' in found ? found.problem : undefined;
  };
}
