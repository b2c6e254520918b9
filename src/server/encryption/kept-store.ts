import type { Catalog } from '../../api/catalog.js';
import { encryptedStore } from '../../storage/encryption/encrypted-store.js';
import type { KvStore } from '../../storage/kv-store.js';
import type { EncryptionConfiguration } from './configuration.js';
import { createResourceOfKey } from './resource-of-key.js';
import { createTransformers, type TransformerFor } from './transformers.js';

export interface KeptStore {
  /** The store as the registries see it: whatever is encrypted in it, they see the values. */
  readonly store: KvStore;
  /** From now on values are read and written so. What was read before is to be looked at again. */
  use(transformers: TransformerFor): void;
}

/** @param encryption undefined: nothing is encrypted. @throws EncryptionConfigError */
export function createKeptStore(
  store: KvStore,
  catalog: Pick<Catalog, 'entries'>,
  encryption: EncryptionConfiguration | undefined,
): KeptStore {
  let transformerFor = encryption && createTransformers(encryption);
  const resourceOf = createResourceOfKey(catalog);
  return {
    store: encryptedStore(store, {
      transformerOf(key) {
        if (transformerFor === undefined) return undefined;
        const resource = resourceOf(key);
        return resource === undefined ? undefined : transformerFor(resource);
      },
    }),
    use(transformers) {
      transformerFor = transformers;
    },
  };
}
