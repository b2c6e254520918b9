import { aesCbc, aesGcm } from '../../storage/encryption/aes.js';
import { secretbox } from '../../storage/encryption/secretbox.js';
import { identity, prefixed, type Prefixed, type Transformer } from '../../storage/encryption/transformer.js';
import {
  decodeBase64,
  EncryptionConfigError,
  parseGroupResource,
  type EncryptionConfiguration,
  type GroupResource,
  type Key,
  type Provider,
} from './configuration.js';

/** The transformer of a resource; undefined: none is configured for it. */
export type TransformerFor = (resource: GroupResource) => Transformer | undefined;

const keyed = (
  prefix: string,
  what: string,
  keys: readonly Key[] | undefined,
  cipher: (secret: Uint8Array) => Transformer,
): Prefixed => ({
  prefix,
  transformer: prefixed(
    (keys ?? []).map(({ name = '', secret = '' }) => ({
      prefix: `${name}:`,
      transformer: cipher(decodeBase64(secret) ?? Buffer.alloc(0)),
    })),
    `no matching key was found for the provided ${what} transformer`,
  ),
});

function prefixedOf(provider: Provider): Prefixed {
  const { aesgcm, aescbc, secretbox: box } = provider;
  if (aesgcm !== undefined) return keyed('k8s:enc:aesgcm:v1:', 'AES', aesgcm.keys, aesGcm);
  if (aescbc !== undefined) return keyed('k8s:enc:aescbc:v1:', 'AES', aescbc.keys, aesCbc);
  if (box !== undefined) return keyed('k8s:enc:secretbox:v1:', 'Secretbox', box.keys, secretbox);
  return { prefix: '', transformer: identity };
}

const nameOf = ({ group, resource }: GroupResource): string => `${resource}.${group}`;
/** As the file has it. */
const shown = ({ group, resource }: GroupResource): string =>
  group === '' ? (resource === '*' ? '*.' : resource) : `${resource}.${group}`;

/**
 * What keeps which resource: the rule that names it, else that of its group, else that of all.
 * @throws EncryptionConfigError for a rule that could never count
 */
export function createTransformers({ resources }: EncryptionConfiguration): TransformerFor {
  const providers = new Map<string, Prefixed[]>();
  for (const one of resources) {
    const transformers = one.providers.map(prefixedOf);
    for (const resource of one.resources.map(parseGroupResource)) {
      for (const mask of [
        { group: resource.group, resource: '*' },
        { group: '*', resource: '*' },
      ])
        if (providers.has(nameOf(mask)))
          throw new EncryptionConfigError(
            `error while building transformers: resource ${JSON.stringify(shown(resource))} is masked by earlier rule ${JSON.stringify(shown(mask))}`,
          );
      providers.set(nameOf(resource), [...(providers.get(nameOf(resource)) ?? []), ...transformers]);
    }
  }
  const built = new Map([...providers].map(([name, all]) => [name, prefixed(all, 'no matching prefix found')]));
  return ({ group, resource }) => built.get(`${resource}.${group}`) ?? built.get(`*.${group}`) ?? built.get('*.*');
}
