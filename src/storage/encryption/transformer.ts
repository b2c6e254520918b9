/** What a value is when it has been read, and whether it should be written again as it would be written now. */
export interface Opened {
  readonly value: Uint8Array;
  readonly stale: boolean;
}

/** How values of a resource are kept. `key` is the storage key: a value cannot be moved to another one unnoticed. */
export interface Transformer {
  seal(value: Uint8Array, key: string): Uint8Array;
  /** @throws Error in upstream's words when the value cannot be read */
  open(stored: Uint8Array, key: string): Opened;
}

/** What begins with this is encrypted, whoever did it. */
const ENCRYPTED = Buffer.from('k8s:enc:');

const startsWith = (value: Uint8Array, prefix: Uint8Array): boolean => {
  if (value.length < prefix.length) return false;
  for (let i = 0; i < prefix.length; i++) if (value[i] !== prefix[i]) return false;
  return true;
};

export const isEncrypted = (stored: Uint8Array): boolean => startsWith(stored, ENCRYPTED);

/** Values as they are. */
export const identity: Transformer = {
  seal: value => value,
  open(stored) {
    if (isEncrypted(stored)) throw new Error('identity transformer tried to read encrypted data');
    return { value: stored, stale: false };
  },
};

export interface Prefixed {
  readonly prefix: string;
  readonly transformer: Transformer;
}

/** Go's aggregate of errors: each text once. */
function reduce(messages: readonly string[]): string {
  const unique = [...new Set(messages)];
  return unique.length === 1 ? (unique[0] ?? '') : `[${unique.join(', ')}]`;
}

/**
 * Several at once: the first one writes, and each reads what begins with its prefix (k8s.io/apiserver pkg/storage/value).
 * What another than the first has written is stale. `noMatch`: what is said of a value that nobody has written.
 */
export function prefixed(transformers: readonly Prefixed[], noMatch: string): Transformer {
  const all = transformers.map(({ prefix, transformer }) => ({ prefix: Buffer.from(prefix), transformer }));
  return {
    seal(value, key) {
      const [first] = all;
      if (first === undefined) return value;
      const sealed = first.transformer.seal(value, key);
      return first.prefix.length === 0 ? sealed : Buffer.concat([first.prefix, sealed]);
    },
    open(stored, key) {
      const problems: string[] = [];
      for (const [i, { prefix, transformer }] of all.entries()) {
        if (!startsWith(stored, prefix)) continue;
        try {
          const { value, stale } = transformer.open(stored.subarray(prefix.length), key);
          return { value, stale: stale || i > 0 };
        } catch (error) {
          // The identity among others says no word of what is not its own.
          if (prefix.length > 0) problems.push((error as Error).message);
        }
      }
      throw new Error(problems.length > 0 ? reduce(problems) : noMatch);
    },
  };
}
