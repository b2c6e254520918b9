import { createPublicKey, verify, X509Certificate, type KeyObject } from 'node:crypto';
import { bitStringBytes, expectTag, readDer, readOid, type DerValue } from './der-reader.js';

/** A PKCS #10 request, as far as signers look at it (RFC 2986). */
export interface CertificateRequest {
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly dnsNames: readonly string[];
  /** As text. */
  readonly ipAddresses: readonly string[];
  readonly emailAddresses: readonly string[];
  readonly uris: readonly string[];
  readonly publicKey: KeyObject;
  /** As they are in the request, in DER: the subject, the SubjectPublicKeyInfo and the GeneralNames. */
  readonly encoded: { readonly subject: Buffer; readonly publicKey: Buffer; readonly altNames: readonly Buffer[] };
  /** What is wrong with the signature of the request by its own key; undefined: nothing. */
  signatureProblem(): string | undefined;
}

export interface PemBlock {
  readonly type: string;
  readonly hasHeaders: boolean;
  readonly bytes: Buffer;
}

/** The PEM blocks of a text, in order; what is between them does not matter. */
export function pemBlocks(text: string): PemBlock[] {
  const found: PemBlock[] = [];
  const ends = endsOf(text);
  let past = 0;
  for (const { 0: head, 1: type = '', index } of text.matchAll(/-----BEGIN ([^\n-]+)-----[ \t]*\r?\n/g)) {
    if (index < past) continue;
    const from = index + head.length;
    const left = ends.get(type) ?? [];
    // Ends before this block are before every later one too: each is looked at once.
    while ((left.at(-1) ?? from) < from) left.pop();
    const end = left.at(-1);
    if (end === undefined) continue;
    past = end;
    const body = text.slice(from, end);
    const hasHeaders = /^[^\s:]+:/m.test(body);
    found.push({ type, hasHeaders, bytes: Buffer.from(body.replace(/^[^\s:]+:.*$/gm, ''), 'base64') });
  }
  return found;
}

/** Where the ends of each type are, the last first. */
function endsOf(text: string): Map<string, number[]> {
  const ends = new Map<string, number[]>();
  for (const { 1: type = '', index } of text.matchAll(/-----END ([^\n-]+)-----/g)) {
    const known = ends.get(type);
    if (known === undefined) ends.set(type, [index]);
    else known.push(index);
  }
  for (const list of ends.values()) list.reverse();
  return ends;
}

const SEQUENCE = 0x30;
const OID_COMMON_NAME = '2.5.4.3';
const OID_ORGANIZATION = '2.5.4.10';
const OID_EXTENSION_REQUEST = '1.2.840.113549.1.9.14';
const OID_SUBJECT_ALT_NAME = '2.5.29.17';

interface Algorithm {
  readonly hash: string | undefined;
  readonly failure: string;
}
const rsa = (hash: string): Algorithm => ({ hash, failure: 'crypto/rsa: verification error' });
const ecdsa = (hash: string): Algorithm => ({ hash, failure: 'x509: ECDSA verification failure' });

const ALGORITHMS: Readonly<Record<string, Algorithm>> = {
  '1.2.840.113549.1.1.11': rsa('sha256'),
  '1.2.840.113549.1.1.12': rsa('sha384'),
  '1.2.840.113549.1.1.13': rsa('sha512'),
  '1.2.840.10045.4.3.2': ecdsa('sha256'),
  '1.2.840.10045.4.3.3': ecdsa('sha384'),
  '1.2.840.10045.4.3.4': ecdsa('sha512'),
  '1.3.101.112': { hash: undefined, failure: 'x509: Ed25519 verification failure' },
};

/** Refused whatever they sign. */
const INSECURE: Readonly<Record<string, string>> = {
  '1.2.840.113549.1.1.4': 'MD5-RSA',
  '1.2.840.113549.1.1.5': 'SHA1-RSA',
  '1.2.840.10045.4.1': 'ECDSA-SHA1',
};

/** BMPString is two bytes a character, the others are read as UTF-8. */
const textOf = ({ tag, content }: DerValue): string =>
  tag === 0x1e ? Buffer.from(content).swap16().toString('utf16le') : content.toString('utf8');

function attributesOf(name: DerValue, oid: string): string[] {
  return readDer(name.content)
    .flatMap(set => readDer(set.content))
    .flatMap(attribute => {
      const [type, value] = readDer(attribute.content);
      return type !== undefined && value !== undefined && readOid(type.content) === oid ? [textOf(value)] : [];
    });
}

function ipText(bytes: Buffer): string {
  if (bytes.length === 4) return [...bytes].join('.');
  const words = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(i * 2).toString(16));
  return words.join(':');
}

/** The encoded GeneralNames of the subjectAltName that the request asks for. */
function altNames(attributes: DerValue | undefined): DerValue[] {
  if (attributes === undefined) return [];
  for (const attribute of readDer(attributes.content)) {
    const [type, values] = readDer(attribute.content);
    if (type === undefined || values === undefined || readOid(type.content) !== OID_EXTENSION_REQUEST) continue;
    const extensions = readDer(values.content).flatMap(list => readDer(list.content));
    for (const extension of extensions) {
      const parts = readDer(extension.content);
      const value = parts[parts.length - 1];
      if (value !== undefined && readOid(parts[0]?.content ?? Buffer.alloc(0)) === OID_SUBJECT_ALT_NAME)
        return readDer(value.content).flatMap(names => readDer(names.content));
    }
  }
  return [];
}

/** Reads the first PEM block of a text. @throws Error with the message of Go's x509 or asn1 package */
export function parseCertificateRequest(pem: string): CertificateRequest {
  const [block] = pemBlocks(pem);
  if (block?.type !== 'CERTIFICATE REQUEST') throw new Error('PEM block type must be CERTIFICATE REQUEST');
  const outer = expectTag(readDer(block.bytes)[0], SEQUENCE);
  const [info, algorithm, signature] = readDer(outer.content);
  const signed = expectTag(info, SEQUENCE);
  const [, subject, spki, attributes] = readDer(signed.content);
  const name = expectTag(subject, SEQUENCE);
  const key = expectTag(spki, SEQUENCE);
  const oid = readOid(readDer(expectTag(algorithm, SEQUENCE).content)[0]?.content ?? Buffer.alloc(0));
  const signatureBytes = bitStringBytes(expectTag(signature, 0x03).content);
  const names = altNames(attributes);
  const tagged = (n: number): Buffer[] => names.filter(({ tag }) => tag === (0x80 | n)).map(({ content }) => content);
  const texts = (n: number): string[] => tagged(n).map(content => content.toString('latin1'));
  const commonNames = attributesOf(name, OID_COMMON_NAME);
  const publicKey = createPublicKey({ key: Buffer.from(key.encoded), format: 'der', type: 'spki' });
  return {
    commonName: commonNames[commonNames.length - 1] ?? '',
    organizations: attributesOf(name, OID_ORGANIZATION),
    dnsNames: texts(2),
    ipAddresses: tagged(7).map(ipText),
    emailAddresses: texts(1),
    uris: texts(6),
    publicKey,
    encoded: {
      subject: name.encoded,
      publicKey: key.encoded,
      altNames: names.map(({ encoded }) => encoded),
    },
    signatureProblem() {
      const insecure = INSECURE[oid];
      if (insecure !== undefined) return `x509: cannot verify signature: insecure algorithm ${insecure}`;
      const known = ALGORITHMS[oid];
      if (known === undefined) return 'x509: cannot verify signature: algorithm unimplemented';
      return verify(known.hash, signed.encoded, publicKey, signatureBytes) ? undefined : known.failure;
    },
  };
}

/** What is wrong with a text that should be PEM certificates and nothing else; undefined: nothing, also when empty. */
export function certificatesProblem(pem: string): string | undefined {
  if (pem === '') return undefined;
  const blocks = pemBlocks(pem);
  for (const { type, hasHeaders, bytes } of blocks) {
    if (type !== 'CERTIFICATE') return `only CERTIFICATE PEM blocks are allowed, found "${type}"`;
    if (hasHeaders) return 'no PEM block headers are permitted';
    if (bytes.length === 0) return 'found CERTIFICATE PEM block containing 0 certificates';
    try {
      new X509Certificate(bytes);
    } catch {
      // What OpenSSL says about it is not what Go says.
      return 'x509: malformed certificate';
    }
  }
  return blocks.length === 0 ? 'must contain at least one CERTIFICATE PEM block' : undefined;
}
