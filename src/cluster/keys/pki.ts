import { createPrivateKey, createPublicKey, sign, verify, X509Certificate } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../machinery/clock.js';
import {
  issueCertificate,
  isUsable,
  unusable,
  newPrivateKey,
  type CertificateOptions,
  type KeyPair,
  type Subject,
} from '../../machinery/x509/certificate.js';
import { FRONT_PROXY_CLIENT, type ServerKeys } from '../../server/options.js';
import { keyFolder, type KeyFiles } from './files.js';
import { newServiceAccountKey, SERVICE_ACCOUNT_KEY } from './service-account-key.js';

/** A key or certificate in the data folder that cannot be used. `message` is one line fit for a terminal. */
export class PkiError extends Error {
  override readonly name = 'PkiError';
}

export interface PkiOptions {
  readonly clock: Clock;
  /** What clients may call the server: DNS names and IP addresses, beside the fixed ones. */
  readonly serverNames?: readonly string[];
  /** Makes the service account key where there is none, as PEM. */
  readonly newServiceAccountKey?: () => Promise<string>;
}

/** The keys of one cluster, kept under kubeadm's file names. */
export interface Pki extends ServerKeys {
  /** Where the service account key is kept. */
  readonly serviceAccountKeyFile: string;
  /** A client certificate kept under `file` (no extension); made anew when it is about to expire. */
  clientCertificate(file: string, subject: Subject): Promise<KeyPair>;
  /** A serving certificate for another process of the cluster. */
  servingCertificate(file: string, subject: Subject, names: readonly string[]): Promise<KeyPair>;
}

const DAY_MS = 86_400_000;
const SERVICE_ACCOUNT_PUBLIC_KEY = 'sa.pub';
const CA = 'ca';
/** Of those who say for whom they ask: nobody whom it has signed is a user. */
const FRONT_PROXY_CA = 'front-proxy-ca';
const CA_DAYS = 3650;
const LEAF_DAYS = 365;
/** A certificate that would end within this time is replaced at the next start. */
const RENEW_BEFORE_MS = 30 * DAY_MS;
/** Certificates are good from a little before they are made, for machines whose clock is behind. */
const BACKDATE_MS = 3_600_000;

const FIXED_NAMES = [
  'localhost',
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
  'kubernetes.default.svc.cluster.local',
  '127.0.0.1',
  '::1',
] as const;

const CERT_MODE = 0o644;
const KEY_MODE = 0o600;

/**
 * Reads the cluster's keys and makes those that are missing, have expired or no longer name the server rightly. The CAs
 * and the service account key are never replaced: everything out there depends on them.
 * @throws PkiError
 */
export async function createPki(files: KeyFiles, options: PkiOptions): Promise<Pki> {
  const { clock } = options;
  // The slow one (RSA) runs beside the others.
  const [serviceAccountKey, ca, frontProxyCa] = await Promise.all([
    ensureServiceAccountKey(files, options.newServiceAccountKey ?? newServiceAccountKey),
    ensureCa(files, CA, 'kubernetes', clock),
    ensureCa(files, FRONT_PROXY_CA, FRONT_PROXY_CA, clock),
  ]);
  const names = [...new Set([...FIXED_NAMES, ...(options.serverNames ?? [])])];
  const leaf = (file: string, what: Pick<CertificateOptions, 'subject' | 'usage' | 'subjectAltNames'>) =>
    ensureLeaf(files, file, ca, clock, what);
  const [serving, kubeletClient, frontProxyClient] = await Promise.all([
    leaf('apiserver', { subject: { commonName: 'kube-apiserver' }, usage: 'server', subjectAltNames: names }),
    leaf('apiserver-kubelet-client', {
      // Agents know this name. A node may say that its kubelet is anywhere: whoever is shown this certificate must not
      // be able to do anything with it at the API server. One of an earlier version is replaced, as it names a group.
      subject: { commonName: 'kube-apiserver-kubelet-client' },
      usage: 'client',
    }),
    ensureLeaf(files, FRONT_PROXY_CLIENT, frontProxyCa, clock, {
      subject: { commonName: FRONT_PROXY_CLIENT },
      usage: 'client',
    }),
  ]);
  return {
    ca,
    frontProxyCa,
    frontProxyClient,
    serving,
    kubeletClient,
    serviceAccountKey,
    serviceAccountKeyFile: files.path(SERVICE_ACCOUNT_KEY),
    clientCertificate: (file, subject) => leaf(file, { subject, usage: 'client' }),
    servingCertificate: (file, subject, subjectAltNames) => leaf(file, { subject, usage: 'server', subjectAltNames }),
  };
}

/** The keys in `<data dir>/pki`. @throws PkiError */
export async function ensurePki(dataDir: string, options: PkiOptions): Promise<Pki> {
  const dir = join(dataDir, 'pki');
  await mkdir(dir, { recursive: true, mode: 0o700 });
  return createPki(keyFolder(dir), options);
}

export async function ensureCa(files: KeyFiles, file: string, commonName: string, clock: Clock): Promise<KeyPair> {
  const [certName, keyName] = [`${file}.crt`, `${file}.key`];
  const [cert, key] = await Promise.all([files.read(certName), files.read(keyName)]);
  if (cert !== undefined) {
    const [certFile, keyFile] = [files.path(certName), files.path(keyName)];
    if (key === undefined) throw new PkiError(`${certFile} is there but ${keyFile} is missing`);
    const problem = unusable({ cert, key }, undefined, clock.now());
    if (problem !== undefined) throw new PkiError(`${certFile} and ${keyFile} ${problem}`);
    return { cert, key };
  }
  // The key is written first: with a key and no certificate, an earlier start died in between.
  const signingKey = key ?? newPrivateKey();
  if (key === undefined) await files.write(keyName, signingKey, KEY_MODE);
  const now = clock.now();
  const ca = issueCertificate({
    subject: { commonName },
    notBefore: now - BACKDATE_MS,
    notAfter: now + CA_DAYS * DAY_MS,
    usage: 'ca',
    key: signingKey,
  });
  await files.write(certName, ca.cert, CERT_MODE);
  return ca;
}

export async function ensureLeaf(
  files: KeyFiles,
  name: string,
  ca: KeyPair,
  clock: Clock,
  what: Pick<CertificateOptions, 'subject' | 'usage' | 'subjectAltNames'>,
): Promise<KeyPair> {
  const [cert, key] = await Promise.all([files.read(`${name}.crt`), files.read(`${name}.key`)]);
  const now = clock.now();
  if (cert !== undefined && key !== undefined) {
    const pair = { cert, key };
    if (isUsable(pair, ca, now) && isUsable(pair, ca, now + RENEW_BEFORE_MS) && isFor(cert, what)) return pair;
  }
  const pair = issueCertificate({
    ...what,
    issuer: ca,
    notBefore: now - BACKDATE_MS,
    notAfter: now + LEAF_DAYS * DAY_MS,
  });
  await Promise.all([files.write(`${name}.key`, pair.key, KEY_MODE), files.write(`${name}.crt`, pair.cert, CERT_MODE)]);
  return pair;
}

/** Whether the certificate names whom it should. */
function isFor(pem: string, what: Pick<CertificateOptions, 'subject' | 'subjectAltNames'>): boolean {
  const cert = new X509Certificate(pem);
  const subject = [...(what.subject.organizations ?? []).map(o => `O=${o}`), `CN=${what.subject.commonName}`];
  if (cert.subject !== subject.join('\n')) return false;
  return (what.subjectAltNames ?? []).every(
    name => cert.checkHost(name) !== undefined || cert.checkIP(name) !== undefined,
  );
}

/** However the PEM is laid out. */
function sameKey(a: string, b: string): boolean {
  const bytes = (pem: string): Buffer => createPublicKey(pem).export({ type: 'spki', format: 'der' });
  try {
    return bytes(a).equals(bytes(b));
  } catch {
    // One of them is no key.
    return false;
  }
}

async function ensureServiceAccountKey(files: KeyFiles, make: () => Promise<string>): Promise<string> {
  const file = files.path(SERVICE_ACCOUNT_KEY);
  const publicFile = files.path(SERVICE_ACCOUNT_PUBLIC_KEY);
  let key = await files.read(SERVICE_ACCOUNT_KEY);
  const known = await files.read(SERVICE_ACCOUNT_PUBLIC_KEY);
  if (key === undefined) {
    // The private key is written first: a new one here would make every token that is out there worthless.
    if (known !== undefined) throw new PkiError(`${file} is missing, and ${publicFile} is there: the keys are damaged`);
    key = await make();
    await files.write(SERVICE_ACCOUNT_KEY, key, KEY_MODE);
  }
  try {
    const privateKey = createPrivateKey(key);
    const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString();
    // A key with a flipped bit is read without complaint, and signs what nobody can verify.
    const signature = sign('sha256', Buffer.from('kubette'), privateKey);
    if (!verify('sha256', Buffer.from('kubette'), publicKey, signature))
      throw new Error('it signs what it does not verify');
    if (known !== undefined && !sameKey(known, publicKey))
      throw new Error(`it does not belong to ${publicFile}; one of them is damaged`);
    if (known !== publicKey) await files.write(SERVICE_ACCOUNT_PUBLIC_KEY, publicKey, CERT_MODE);
  } catch (error) {
    throw new PkiError(`${file} is damaged: ${(error as Error).message}`, { cause: error });
  }
  return key;
}
