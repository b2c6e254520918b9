import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { DeepReadonly, Secret } from '../../machinery/types.js';
import type { KeyPair } from '../../machinery/x509/certificate.js';
import { parentsOf } from './host-name.js';

/** The certificate and key of a Secret, PEM. @throws Error saying what is wrong with it */
export function keyPairOf(secret: DeepReadonly<Secret>): KeyPair {
  const text = (name: string): string => {
    const value = secret.data?.[name];
    if (value === undefined || value === '') throw new Error(`has no ${name}`);
    return Buffer.from(value, 'base64').toString('utf8');
  };
  const pair = { cert: text('tls.crt'), key: text('tls.key') };
  const certificate = attempt('tls.crt is no certificate', () => new X509Certificate(pair.cert));
  const key = attempt('tls.key is no private key', () => createPrivateKey(pair.key));
  if (!certificate.checkPrivateKey(key)) throw new Error('tls.key is not the key of tls.crt');
  return pair;
}

function attempt<T>(problem: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new Error(problem, { cause: error });
  }
}

/** What a host has, by its name or by the star for its first label. */
export function byHost<T>(hosts: ReadonlyMap<string, T>, name: string): T | undefined {
  const own = hosts.get(name);
  if (own !== undefined) return own;
  for (const parent of parentsOf(name)) return hosts.get(`*.${parent}`);
  return undefined;
}
