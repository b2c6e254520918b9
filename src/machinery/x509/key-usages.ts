/** What a certificate may be used for, in the words of certificates.k8s.io/v1 KeyUsage. */

/** Bits of the keyUsage extension, from the left (RFC 5280, 4.2.1.3). */
const KEY_USAGE_BITS: Readonly<Record<string, number>> = {
  signing: 0,
  'digital signature': 0,
  'content commitment': 1,
  'key encipherment': 2,
  'data encipherment': 3,
  'key agreement': 4,
  'cert sign': 5,
  'crl sign': 6,
  'encipher only': 7,
  'decipher only': 8,
};

/** Purposes of the extKeyUsage extension, in the order they are written in. */
const EXTENDED_USAGES: readonly (readonly [names: readonly string[], oid: string])[] = [
  [['any'], '2.5.29.37.0'],
  [['server auth'], '1.3.6.1.5.5.7.3.1'],
  [['client auth'], '1.3.6.1.5.5.7.3.2'],
  [['code signing'], '1.3.6.1.5.5.7.3.3'],
  [['email protection', 's/mime'], '1.3.6.1.5.5.7.3.4'],
  [['ipsec end system'], '1.3.6.1.5.5.7.3.5'],
  [['ipsec tunnel'], '1.3.6.1.5.5.7.3.6'],
  [['ipsec user'], '1.3.6.1.5.5.7.3.7'],
  [['timestamping'], '1.3.6.1.5.5.7.3.8'],
  [['ocsp signing'], '1.3.6.1.5.5.7.3.9'],
  [['microsoft sgc'], '1.3.6.1.4.1.311.10.3.3'],
  [['netscape sgc'], '2.16.840.1.113730.4.1'],
];

export interface KeyUsages {
  /** The BIT STRING's bytes and how many of its last bits are unused; undefined: no such usage was asked for. */
  readonly bits: { readonly bytes: Buffer; readonly unused: number } | undefined;
  /** Object identifiers. */
  readonly purposes: readonly string[];
  /** Usages that nobody knows. */
  readonly unknown: readonly string[];
}

/** Sorts usages into those of the key and those of the certificate. */
export function keyUsages(usages: readonly string[]): KeyUsages {
  const numbers = usages.flatMap(usage => KEY_USAGE_BITS[usage] ?? []);
  const last = numbers.reduce((a, b) => Math.max(a, b), -1);
  const bytes = Buffer.alloc(Math.floor(last / 8) + 1);
  for (const n of numbers) bytes[n >> 3] = (bytes[n >> 3] ?? 0) | (0x80 >> (n & 7));
  const known = EXTENDED_USAGES.flatMap(([names]) => names);
  return {
    bits: last < 0 ? undefined : { bytes, unused: 7 - (last & 7) },
    purposes: EXTENDED_USAGES.filter(([names]) => names.some(name => usages.includes(name))).map(([, oid]) => oid),
    unknown: usages.filter(usage => KEY_USAGE_BITS[usage] === undefined && !known.includes(usage)).sort(),
  };
}
