/** Undoes Snappy's block format, in which LevelDB keeps its index blocks. @throws RangeError on anything else */
export function unsnap(bytes: Buffer): Buffer {
  let at = 0;
  const byte = (): number => bytes.readUInt8(at++);
  const little = (count: number): number => {
    at += count;
    return bytes.readUIntLE(at - count, count);
  };
  let size = 0;
  for (let factor = 1, more = true; more; factor *= 128) {
    const next = byte();
    size += (next & 0x7f) * factor;
    more = next >= 0x80;
    if (factor > 2 ** 28) throw new RangeError('its size is not a number');
  }
  // A byte of input makes at most 64 of output, however it lies about its size.
  if (size > bytes.length * 64) throw new RangeError('it claims to be larger than it can be');
  const out = Buffer.alloc(size);
  let written = 0;
  while (at < bytes.length) {
    const tag = byte();
    if ((tag & 3) === 0) {
      const short = tag >> 2;
      const length = 1 + (short < 60 ? short : little(short - 59));
      if (at + length > bytes.length || written + length > size) throw new RangeError('it is cut short');
      written += bytes.copy(out, written, at, at + length);
      at += length;
      continue;
    }
    const length = (tag & 3) === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1;
    const offset = (tag & 3) === 1 ? ((tag >> 5) << 8) | byte() : little((tag & 3) === 2 ? 2 : 4);
    if (offset === 0 || offset > written || written + length > size) throw new RangeError('it refers to nothing');
    // Byte by byte: a copy may overlap what it writes.
    for (let i = 0; i < length; i++, written++) out[written] = out[written - offset] as number;
  }
  if (written !== size) throw new RangeError('it is cut short');
  return out;
}
