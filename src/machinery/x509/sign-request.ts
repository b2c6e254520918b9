import { createHash, createPrivateKey, createPublicKey, sign, X509Certificate, type KeyObject } from 'node:crypto';
import { extension, OID, pem, randomSerial, subjectOf, type KeyPair } from './certificate.js';
import type { CertificateRequest } from './certificate-request.js';
import * as der from './der.js';
import { bitStringBytes, expectTag, readDer, readOid } from './der-reader.js';
import { keyUsages } from './key-usages.js';

export interface SigningOptions {
  readonly ca: KeyPair;
  /** certificates.k8s.io/v1 KeyUsages. */
  readonly usages: readonly string[];
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
}

const SEQUENCE = 0x30;
const OCTET_STRING = 0x04;
const NULL = Buffer.of(0x05, 0x00);
/** GeneralNames that certificates take over, in this order: DNS, email, IP, URI. */
const NAME_TAGS = [0x82, 0x81, 0x87, 0x86];

/** What a CA's certificate calls its own key; else the usual hash of the key. */
function authorityKeyId(ca: X509Certificate): Buffer {
  const [tbs] = readDer(expectTag(readDer(ca.raw)[0], SEQUENCE).content);
  const extensions = readDer(expectTag(tbs, SEQUENCE).content).find(({ tag }) => tag === 0xa3);
  for (const list of extensions === undefined ? [] : readDer(extensions.content))
    for (const { content } of readDer(list.content)) {
      const parts = readDer(content);
      const value = parts.at(-1);
      if (value !== undefined && readOid(parts[0]?.content ?? Buffer.alloc(0)) === OID.subjectKeyIdentifier)
        return expectTag(readDer(value.content)[0], OCTET_STRING).content;
    }
  const spki = ca.publicKey.export({ type: 'spki', format: 'der' });
  const [, bits] = readDer(expectTag(readDer(spki)[0], SEQUENCE).content);
  return createHash('sha1')
    .update(bitStringBytes(expectTag(bits, 0x03).content))
    .digest();
}

/** @throws Error for keys that are neither EC nor RSA */
function signatureAlgorithm(key: KeyObject): Buffer {
  if (key.asymmetricKeyType === 'ec') return der.sequence(der.oid(OID.ecdsaWithSha256));
  if (key.asymmetricKeyType === 'rsa') return der.sequence(der.oid(OID.rsaWithSha256), NULL);
  throw new Error(`cannot sign with a key of type ${key.asymmetricKeyType ?? 'unknown'}`);
}

function extensionsFor(request: CertificateRequest, { usages }: SigningOptions, authority: Buffer): Buffer[] {
  const { bits, purposes, unknown } = keyUsages(usages);
  if (unknown.length > 0)
    throw new Error(`unrecognized usage values: [${unknown.map(u => JSON.stringify(u)).join(' ')}]`);
  const { subject, altNames } = request.encoded;
  const names = NAME_TAGS.flatMap(tag => altNames.filter(name => name[0] === tag));
  // RFC 5280, 4.2.1.6: an empty subject leaves it to the other names to say who it is.
  const nameless = expectTag(readDer(subject)[0], SEQUENCE).content.length === 0;
  return [
    ...(bits === undefined ? [] : [extension(OID.keyUsage, true, der.bitString(bits.bytes, bits.unused))]),
    ...(purposes.length === 0
      ? []
      : [extension(OID.extKeyUsage, false, der.sequenceOf(purposes.map(purpose => der.oid(purpose))))]),
    extension(OID.basicConstraints, true, der.sequence()),
    extension(OID.authorityKeyIdentifier, false, der.sequence(der.implicit(0, authority))),
    ...(names.length === 0 ? [] : [extension(OID.subjectAltName, nameless, der.sequenceOf(names))]),
  ];
}

/**
 * The certificate (PEM) that a request asks for, signed by a CA: its subject, its key and its names, for the usages given.
 * @throws Error when the request is not signed by its own key, a usage is unknown or the CA's key is of another kind
 */
export function signRequest(request: CertificateRequest, options: SigningOptions): string {
  const problem = request.signatureProblem();
  if (problem !== undefined) throw new Error(`unable to verify certificate request signature: ${problem}`);
  const key = createPrivateKey(options.ca.key);
  const algorithm = signatureAlgorithm(createPublicKey(key));
  const ca = new X509Certificate(options.ca.cert);
  const toBeSigned = der.sequence(
    der.explicit(0, der.integer(Buffer.of(2))), // v3
    der.integer(randomSerial()),
    algorithm,
    subjectOf(options.ca.cert),
    der.sequence(der.time(options.notBefore), der.time(options.notAfter)),
    request.encoded.subject,
    request.encoded.publicKey,
    der.explicit(3, der.sequenceOf(extensionsFor(request, options, authorityKeyId(ca)))),
  );
  const certificate = der.sequence(toBeSigned, algorithm, der.bitString(sign('sha256', toBeSigned, key)));
  return pem('CERTIFICATE', certificate);
}
