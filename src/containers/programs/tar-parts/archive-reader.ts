import type { Input } from '../../io.js';
import { BLOCK, padding, type Header } from './header.js';

/** Of names and pax headers that travel as records of their own. */
const MAX_META = 1024 * 1024;

/** Reads exactly so many bytes at a time. */
export class ArchiveReader {
  private rest: Buffer = Buffer.alloc(0);

  constructor(
    private readonly input: Input,
    private readonly signal: AbortSignal,
  ) {}

  /** At most `size` bytes; nothing at the end. */
  async some(size: number): Promise<Buffer> {
    if (this.rest.length === 0) this.rest = (await this.input.read(this.signal)) ?? Buffer.alloc(0);
    const piece = this.rest.subarray(0, size);
    this.rest = this.rest.subarray(piece.length);
    return piece;
  }
  async exactly(size: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let left = size; left > 0;) {
      const piece = await this.some(left);
      if (piece.length === 0) break;
      parts.push(piece);
      left -= piece.length;
    }
    return Buffer.concat(parts);
  }
  async skip(size: number): Promise<void> {
    for (let left = size; left > 0;) {
      const piece = await this.some(left);
      if (piece.length === 0) return;
      left -= piece.length;
    }
  }
  async drain(): Promise<void> {
    while ((await this.some(Infinity)).length > 0);
  }
}

const text = (block: Buffer, at: number, size: number): string => {
  const end = block.indexOf(0, at);
  return block.toString('utf8', at, end < 0 || end > at + size ? at + size : end);
};
const number = (block: Buffer, at: number, size: number): number => {
  const value = parseInt(text(block, at, size).trim() || '0', 8);
  return Number.isSafeInteger(value) && value >= 0 ? value : 0;
};

/** The value of a key of a pax header. */
function paxValues(data: Buffer): Map<string, string> {
  const values = new Map<string, string>();
  for (let at = 0; at < data.length;) {
    const space = data.indexOf(32, at);
    const length = space < 0 ? 0 : Number(data.toString('latin1', at, space));
    if (!(length > 0) || at + length > data.length) break;
    const record = data.toString('utf8', space + 1, at + length - 1);
    const equals = record.indexOf('=');
    if (equals > 0) values.set(record.slice(0, equals), record.slice(equals + 1));
    at += length;
  }
  return values;
}

/** The headers of an archive; the reader stands at each one's content. @throws Error */
export async function* headers(reader: ArchiveReader): AsyncGenerator<Header> {
  let name: string | undefined;
  let target: string | undefined;
  let first = true;
  for (;;) {
    const block = await reader.exactly(BLOCK);
    if (block.length < BLOCK) {
      if (block.length > 0 || first) throw new Error('short read');
      return;
    }
    if (block.every(byte => byte === 0)) {
      await reader.drain();
      return;
    }
    if (first && text(block, 257, 5) !== 'ustar' && number(block, 148, 8) === 0) throw new Error('invalid tar magic');
    first = false;
    const size = number(block, 124, 12);
    const type = text(block, 156, 1) || '0';
    if ('LKxg'.includes(type)) {
      if (size > MAX_META) throw new Error('invalid tar header');
      const data = await reader.exactly(size);
      await reader.skip(padding(size).length);
      const plain = text(data, 0, data.length);
      if (type === 'L') name = plain;
      else if (type === 'K') target = plain;
      else if (type === 'x') {
        const values = paxValues(data);
        name = values.get('path') ?? name;
        target = values.get('linkpath') ?? target;
      }
      continue;
    }
    const prefix = text(block, 345, 155);
    yield {
      name: name ?? (prefix === '' ? text(block, 0, 100) : `${prefix}/${text(block, 0, 100)}`),
      type,
      mode: number(block, 100, 8),
      size: '125'.includes(type) ? 0 : size,
      time: number(block, 136, 12) * 1000,
      uid: number(block, 108, 8),
      gid: number(block, 116, 8),
      target: target ?? text(block, 157, 100),
    };
    name = target = undefined;
  }
}
