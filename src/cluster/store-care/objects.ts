import { createCatalog } from '../../api/create-catalog.js';
import type { ObjectKey } from '../../machinery/types.js';
import type { EncryptionConfiguration } from '../../server/encryption/configuration.js';
import { createResourceOfKey } from '../../server/encryption/resource-of-key.js';
import { createTransformers } from '../../server/encryption/transformers.js';
import { createStoredReader } from '../../server/registry/stored-problem.js';
import { isEncrypted } from '../../storage/encryption/transformer.js';
import { parseKey, relativeKey, resourcePrefix, ROOT } from '../../storage/keys.js';
import type { KeyValue } from '../../storage/kv-store.js';
import type { Finding } from '../../storage/leveldb/inspect.js';
import { createReservationCheck } from './reservations.js';

export interface ObjectCheck {
  value(kv: KeyValue): void;
  /** Nothing more comes. @returns how many values are encrypted and could not be looked at */
  end(): number;
}

/**
 * Whether each value is an object of its kind, called as its key says, and Services have what is reserved for them.
 * @param encryption how values are kept; undefined: those that are encrypted are counted
 */
export function createObjectCheck(
  found: (finding: Finding) => void,
  encryption: EncryptionConfiguration | undefined,
): ObjectCheck {
  const catalog = createCatalog({});
  const read = createStoredReader(catalog);
  const resourceOf = createResourceOfKey(catalog);
  const transformerFor = encryption && createTransformers(encryption);
  const reservations = createReservationCheck(found);
  let encrypted = 0;

  /** undefined: it cannot be read here, which may be as it should. */
  const opened = ({ key, value }: KeyValue): Buffer | undefined => {
    if (!isEncrypted(value)) return Buffer.from(value);
    const resource = resourceOf(key);
    const transformer = resource === undefined ? undefined : transformerFor?.(resource);
    if (transformer === undefined) {
      if (transformerFor === undefined) encrypted++;
      else found({ about: key, problem: 'is encrypted, and the configuration says nothing of it' });
      return undefined;
    }
    try {
      return Buffer.from(transformer.open(value, key).value);
    } catch (error) {
      found({ about: key, problem: `cannot be decrypted: ${(error as Error).message}` });
      return undefined;
    }
  };

  return {
    value(kv) {
      // What is not below it is the store's own.
      if (!kv.key.startsWith(ROOT)) return;
      const value = opened(kv);
      if (value === undefined) return;
      const one = read(kv.key, value);
      if ('problem' in one) return found({ about: kv.key, problem: `is no object: ${one.problem}` });
      const { namespace = '', name = '' } = one.object.metadata;
      const key: ObjectKey =
        one.entry === undefined
          ? { namespace, name: kv.key.slice(kv.key.lastIndexOf('/') + 1) }
          : parseKey(resourcePrefix(one.entry.info.storage), kv.key, one.entry.info.namespaced);
      const called = relativeKey({ namespace, name });
      if (called !== relativeKey(key)) return found({ about: kv.key, problem: `is called ${JSON.stringify(called)}` });
      reservations.object(kv.key, one.object);
    },
    end() {
      // What cannot be read may hold any of them.
      if (encrypted === 0) reservations.end();
      return encrypted;
    },
  };
}
