import { createSecureContext, type SecureContext } from 'node:tls';
import { SECRETS } from '../../client/resources.js';
import type { InformerFactory } from '../../client/types.js';
import type { DeepReadonly, Secret } from '../../machinery/types.js';
import { keyPairOf } from '../routing/certificates.js';

/** A certificate that can be shown, or why not. */
export type Certificate =
  | { readonly context: () => SecureContext }
  | { readonly reason: 'SecretNotFound' | 'BadCertificate'; readonly message: string };

export interface Secrets {
  /** Of the Secret "namespace/name". */
  certificateOf(key: string): Certificate;
}

/** Releases of helm are large, many, and no certificates: ingress-nginx does not ask for them, either. */
const SELECTOR = { fieldSelector: 'type!=helm.sh/release.v1' };

/** Mirrors Secrets; each is read once. */
export function watchSecrets(informers: InformerFactory, onChange: () => void): Secrets {
  const secrets = informers.informer<Secret>(SECRETS, SELECTOR);
  const read = new WeakMap<DeepReadonly<Secret>, Certificate>();
  const changed = (secret: DeepReadonly<Secret>): void => {
    if (secret.data?.['tls.crt'] !== undefined) onChange();
  };
  secrets.addHandler({
    add: changed,
    update: (old, now) => (now.data?.['tls.crt'] === undefined ? changed(old) : changed(now)),
    delete: changed,
  });
  return {
    certificateOf(key) {
      const secret = secrets.indexer.get(key);
      if (secret === undefined) return { reason: 'SecretNotFound', message: `Secret "${key}" does not exist` };
      const known = read.get(secret);
      if (known !== undefined) return known;
      const certificate = certificateIn(key, secret);
      read.set(secret, certificate);
      return certificate;
    },
  };
}

function certificateIn(key: string, secret: DeepReadonly<Secret>): Certificate {
  try {
    const pair = keyPairOf(secret);
    let context: SecureContext | undefined;
    return { context: () => (context ??= createSecureContext(pair)) };
  } catch (error) {
    return { reason: 'BadCertificate', message: `Secret "${key}": ${(error as Error).message}` };
  }
}
