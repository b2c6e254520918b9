export const BLOCK = 512;
/** An archive is a whole number of these. */
export const RECORD = 20 * BLOCK;

export interface Header {
  readonly name: string;
  readonly type: string;
  readonly mode: number;
  readonly size: number;
  readonly time: number;
  readonly uid: number;
  readonly gid: number;
  readonly target: string;
}

const octal = (block: Buffer, value: number, at: number, size: number): void => {
  block.write(
    `${value
      .toString(8)
      .padStart(size - 1, '0')
      .slice(1 - size)}\0`,
    at,
    size,
  );
};

function finish(block: Buffer): Buffer {
  block.write('ustar\x0000', 257);
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

/** A ustar header, with GNU records in front for what does not fit. */
export function headerBlocks(header: Header): Buffer {
  const bytes = Buffer.from(header.name);
  const parts: Buffer[] = [];
  const long = (text: string, type: string): void => {
    const data = Buffer.from(`${text}\0`);
    const block = Buffer.alloc(BLOCK);
    block.write('././@LongLink');
    octal(block, 0o644, 100, 8);
    octal(block, data.length, 124, 12);
    block.write(type, 156);
    parts.push(finish(block), data, padding(data.length));
  };
  if (bytes.length > 100) long(header.name, 'L');
  if (Buffer.byteLength(header.target) > 100) long(header.target, 'K');
  const block = Buffer.alloc(BLOCK);
  bytes.copy(block, 0, 0, 100);
  octal(block, header.mode, 100, 8);
  octal(block, header.uid, 108, 8);
  octal(block, header.gid, 116, 8);
  octal(block, header.size, 124, 12);
  octal(block, Math.floor(header.time / 1000), 136, 12);
  block.write(header.type, 156);
  Buffer.from(header.target).copy(block, 157, 0, 100);
  if (header.uid === 0) block.write('root', 265);
  if (header.gid === 0) block.write('root', 297);
  parts.push(finish(block));
  return Buffer.concat(parts);
}

export const padding = (size: number): Buffer => Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
