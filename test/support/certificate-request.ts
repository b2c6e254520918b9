import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { newPrivateKey, pem } from '../../src/machinery/x509/certificate.js';
import * as der from '../../src/machinery/x509/der.js';

export interface RequestedNames {
  readonly commonName: string;
  readonly organizations?: readonly string[];
  readonly dnsNames?: readonly string[];
  readonly ips?: readonly string[];
}

/** A PKCS #10 request (PEM) and the key (PEM) that signed it. */
export function makeRequest({ commonName, organizations = [], dnsNames = [], ips = [] }: RequestedNames): {
  request: string;
  key: string;
} {
  const key = newPrivateKey();
  const attribute = (oid: string, text: string): Buffer => der.set(der.sequence(der.oid(oid), der.utf8String(text)));
  const names = [
    ...dnsNames.map(name => der.implicit(2, Buffer.from(name))),
    ...ips.map(ip => der.implicit(7, der.ipBytes(ip))),
  ];
  const extensions = der.sequence(der.sequence(der.oid('2.5.29.17'), der.octetString(der.sequence(...names))));
  const info = der.sequence(
    der.integer(Buffer.of(0)),
    der.sequence(...organizations.map(o => attribute('2.5.4.10', o)), attribute('2.5.4.3', commonName)),
    createPublicKey(key).export({ type: 'spki', format: 'der' }),
    der.explicit(
      0,
      ...(names.length === 0 ? [] : [der.sequence(der.oid('1.2.840.113549.1.9.14'), der.set(extensions))]),
    ),
  );
  const signature = sign('sha256', info, createPrivateKey(key));
  const algorithm = der.sequence(der.oid('1.2.840.10045.4.3.2'));
  return { request: pem('CERTIFICATE REQUEST', der.sequence(info, algorithm, der.bitString(signature))), key };
}
