import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto';
import { isIP } from 'node:net';
import * as der from './der.js';

/** A certificate and its private key, both PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

export interface Subject {
  readonly commonName: string;
  readonly organizations?: readonly string[];
}

export interface CertificateOptions {
  readonly subject: Subject;
  /** Who signs; absent: the certificate signs itself. */
  readonly issuer?: KeyPair;
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly usage: 'ca' | 'server' | 'client';
  /** DNS names and IP addresses it is good for. */
  readonly subjectAltNames?: readonly string[];
  /** PEM of the private key to certify; absent: a new one. */
  readonly key?: string;
}

/** The object identifiers that certificates are made of. */
export const OID = {
  rsaWithSha256: '1.2.840.113549.1.1.11',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const;

export const pem = (label: string, bytes: Buffer): string =>
  `-----BEGIN ${label}-----\n${bytes.toString('base64').replace(/(.{64})(?=.)/g, '$1\n')}\n-----END ${label}-----\n`;

/** One RDN per attribute value, organizations first, as kubeadm's certificates have it. */
const encodeName = (subject: Subject): Buffer =>
  der.sequence(
    ...(subject.organizations ?? []).map(o => der.set(der.sequence(der.oid(OID.organization), der.utf8String(o)))),
    der.set(der.sequence(der.oid(OID.commonName), der.utf8String(subject.commonName))),
  );

export const extension = (id: string, critical: boolean, value: Buffer): Buffer =>
  der.sequence(der.oid(id), ...(critical ? [der.bool(true)] : []), der.octetString(value));

/** The part of a DER value after its tag and length. */
function content(value: Buffer): Buffer {
  const first = value[1] ?? 0;
  return value.subarray(first < 0x80 ? 2 : 2 + (first & 0x7f));
}

/** SHA-1 of the subjectPublicKey bits (RFC 5280, 4.2.1.2), found at the end of a P-256 SubjectPublicKeyInfo. */
const keyIdentifier = (spki: Buffer): Buffer => createHash('sha1').update(spki.subarray(-65)).digest();

const SIGNATURE_ALGORITHM = der.sequence(der.oid(OID.ecdsaWithSha256));
/** Bits from the left: digitalSignature 0, keyEncipherment 2, keyCertSign 5. */
const KEY_USAGE = { ca: der.bitString(Buffer.of(0b1010_0100), 2), leaf: der.bitString(Buffer.of(0b1010_0000), 5) };

/** A positive number that is always as long. */
export function randomSerial(): Buffer {
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  return serial;
}

/** A new P-256 private key, PEM. */
export const newPrivateKey = (): string =>
  generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'sec1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'der' },
  }).privateKey;

/**
 * Issues a P-256 / SHA-256 certificate. Written here because the libraries that do it take longer to load than the API
 * server takes to start.
 */
export function issueCertificate(options: CertificateOptions): KeyPair {
  const key = options.key ?? newPrivateKey();
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const signer = options.issuer?.key ?? key;
  const signerSpki = createPublicKey(signer).export({ type: 'spki', format: 'der' });
  const ca = options.usage === 'ca';
  const extensions = [
    extension(OID.keyUsage, true, ca ? KEY_USAGE.ca : KEY_USAGE.leaf),
    ...(ca
      ? [extension(OID.basicConstraints, true, der.sequence(der.bool(true)))]
      : [
          extension(
            OID.extKeyUsage,
            false,
            der.sequence(der.oid(options.usage === 'server' ? OID.serverAuth : OID.clientAuth)),
          ),
          extension(OID.basicConstraints, true, der.sequence()),
        ]),
    extension(OID.subjectKeyIdentifier, false, der.octetString(keyIdentifier(spki))),
    extension(OID.authorityKeyIdentifier, false, der.sequence(der.implicit(0, keyIdentifier(signerSpki)))),
  ];
  if (options.subjectAltNames !== undefined && options.subjectAltNames.length > 0) {
    const names = options.subjectAltNames.map(name =>
      isIP(name) === 0 ? der.implicit(2, Buffer.from(name)) : der.implicit(7, der.ipBytes(name)),
    );
    extensions.push(extension(OID.subjectAltName, false, der.sequenceOf(names)));
  }
  const toBeSigned = der.sequence(
    der.explicit(0, der.integer(Buffer.of(2))), // v3
    der.integer(randomSerial()),
    SIGNATURE_ALGORITHM,
    options.issuer === undefined ? encodeName(options.subject) : subjectOf(options.issuer.cert),
    der.sequence(der.time(options.notBefore), der.time(options.notAfter)),
    encodeName(options.subject),
    spki,
    der.explicit(3, der.sequenceOf(extensions)),
  );
  const signature = sign('sha256', toBeSigned, createPrivateKey(signer));
  const cert = der.sequence(toBeSigned, SIGNATURE_ALGORITHM, der.bitString(signature));
  return { cert: pem('CERTIFICATE', cert), key };
}

/** The encoded subject of a certificate: the issuer name of what it signs must equal it byte for byte. */
export function subjectOf(cert: string): Buffer {
  let rest = content(content(new X509Certificate(cert).raw)); // inside Certificate, inside TBSCertificate
  const next = (): Buffer => {
    const first = rest[1] ?? 0;
    const lengthBytes = first & 0x7f;
    const size = first < 0x80 ? 2 + first : 2 + lengthBytes + rest.readUIntBE(2, lengthBytes);
    const value = rest.subarray(0, size);
    rest = rest.subarray(size);
    return value;
  };
  // version, serial, algorithm, issuer, validity, subject
  for (let i = 0; i < 5; i++) next();
  return next();
}

/**
 * Why `pair` cannot be used at `atMs`, as the end of a sentence about both; undefined when it is whole, belongs
 * together, was signed by `ca` (or by itself, where it says so) and is good at that time.
 */
export function unusable(pair: KeyPair, ca: KeyPair | undefined, atMs: number): string | undefined {
  try {
    const cert = new X509Certificate(pair.cert);
    if (!cert.checkPrivateKey(createPrivateKey(pair.key))) return 'are damaged or do not belong together';
    const issuer = ca === undefined ? (cert.issuer === cert.subject ? cert : undefined) : new X509Certificate(ca.cert);
    if (issuer !== undefined && !cert.verify(issuer.publicKey)) return 'are damaged: the signature is not right';
    const time = (text: string): string => new Date(text).toISOString();
    const now = time(new Date(atMs).toISOString());
    if (atMs < Date.parse(cert.validFrom))
      return `are not yet valid: they begin at ${time(cert.validFrom)}, and the clock says ${now}`;
    if (atMs >= Date.parse(cert.validTo))
      return `have expired: they ended at ${time(cert.validTo)}, and the clock says ${now}`;
    return undefined;
  } catch (error) {
    // Not a certificate or not a key.
    return `are damaged: ${(error as Error).message}`;
  }
}

export const isUsable = (pair: KeyPair, ca: KeyPair | undefined, atMs: number): boolean =>
  unusable(pair, ca, atMs) === undefined;
