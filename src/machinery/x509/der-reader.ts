/** One DER value: its tag, what is inside, and the whole of it as encoded. */
export interface DerValue {
  readonly tag: number;
  readonly content: Buffer;
  readonly encoded: Buffer;
}

/** DER that cannot be read; `message` is what encoding/asn1 says. */
export class DerError extends Error {
  override readonly name = 'DerError';
}

const TRUNCATED = 'asn1: syntax error: data truncated';

/** The values that follow each other in `bytes`. @throws DerError */
export function readDer(bytes: Buffer): DerValue[] {
  const values: DerValue[] = [];
  for (let at = 0; at < bytes.length;) {
    const first = bytes[at + 1];
    if (first === undefined) throw new DerError(TRUNCATED);
    const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
    if (lengthBytes > 4) throw new DerError('asn1: structure error: length too large');
    const start = at + 2 + lengthBytes;
    if (start > bytes.length) throw new DerError(TRUNCATED);
    const size = lengthBytes === 0 ? first : bytes.readUIntBE(at + 2, lengthBytes);
    if (start + size > bytes.length) throw new DerError(TRUNCATED);
    values.push({
      tag: bytes[at] ?? 0,
      content: bytes.subarray(start, start + size),
      encoded: bytes.subarray(at, start + size),
    });
    at = start + size;
  }
  return values;
}

/** The value at a place, which must have this tag. @throws DerError */
export function expectTag(value: DerValue | undefined, tag: number): DerValue {
  if (value === undefined) throw new DerError('asn1: syntax error: sequence truncated');
  if (value.tag !== tag) throw new DerError("asn1: structure error: tags don't match");
  return value;
}

/** "2.5.4.10" */
export function readOid(content: Buffer): string {
  const arcs: number[] = [];
  let arc = 0;
  for (const byte of content) {
    arc = arc * 128 + (byte & 0x7f);
    if (byte >= 0x80) continue;
    if (arcs.length === 0) arcs.push(Math.min(2, Math.floor(arc / 40)), arc - 40 * Math.min(2, Math.floor(arc / 40)));
    else arcs.push(arc);
    arc = 0;
  }
  return arcs.join('.');
}

/** The bytes of a BIT STRING that is made of whole bytes. */
export const bitStringBytes = (content: Buffer): Buffer => content.subarray(1);
