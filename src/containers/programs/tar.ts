import { trimEnd, trimStart } from '../../machinery/trim.js';
import { createGunzip, createGzip } from 'node:zlib';
import { FileError, resolvePath, type FileStat } from '../file-system.js';
import type { Input, Output } from '../io.js';
import { joinPath } from '../paths.js';
import type { Process, Program } from '../process.js';
import { readerOf, writerOf } from '../spawn.js';
import { compilePattern, matchesSteps } from '../shell/pattern.js';
import { parseOptions, type Options } from './options.js';
import { through } from './through.js';

const BLOCK = 512;
const BLOCKS_PER_RECORD = 20;
/** Of names and pax headers that travel as records of their own. */
const MAX_META = 1024 * 1024;

interface Header {
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
function headerBlocks(header: Header): Buffer {
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

const padding = (size: number): Buffer => Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);

/** Reads exactly so many bytes at a time. */
class Reader {
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
async function* headers(reader: Reader): AsyncGenerator<Header> {
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

/** tar c|x|t [-zvmpOhok] [-f FILE] [-C DIR] [-T FILE] [--strip-components N] [--exclude PATTERN] [PATH...] */
export const tar: Program = async process => {
  const [, first = '', ...rest] = process.args;
  const args = first.startsWith('-') || first === '' ? [first, ...rest] : [`-${first}`, ...rest];
  const options = parseOptions(
    args.filter(arg => arg !== ''),
    {
      short: 'cxtzvmpPohOkaJjf:C:T:X:',
      long: {
        'no-same-owner': 'o',
        'no-same-permissions': 'o',
        'same-permissions': 'p',
        'preserve-permissions': 'p',
        'numeric-owner': 'o',
        'strip-components': 'strip:',
        directory: 'C:',
        file: 'f:',
        extract: 'x',
        create: 'c',
        list: 't',
        gzip: 'z',
        verbose: 'v',
        exclude: 'exclude:',
        overwrite: 'overwrite',
        warning: 'warning:',
        touch: 'm',
        dereference: 'h',
        'to-stdout': 'O',
      },
    },
  );
  if (options.has('J') || options.has('j')) {
    await process.stderr.write('tar: not simulated here: only gzip compression is\n');
    return 1;
  }
  if (options.has('c')) return create(process, options);
  if (options.has('x') || options.has('t')) return extract(process, options);
  await process.stderr.write('tar: must specify one of -c, -x, -t\n');
  return 1;
};

const excluder = (options: Options): ((name: string) => boolean) => {
  const patterns = options.all('exclude').map(pattern => compilePattern([{ text: pattern, quoted: false }]));
  return name =>
    patterns.some(steps => matchesSteps(steps, name) || matchesSteps(steps, name.slice(name.lastIndexOf('/') + 1)));
};

async function extract(process: Process, options: Options): Promise<number> {
  const { files } = process.container;
  const directory = resolvePath(process.cwd, options.get('C') ?? '.');
  const file = options.get('f') ?? '-';
  let input = process.stdin;
  if (file !== '-')
    try {
      input = readerOf(await files.openRead(resolvePath(process.cwd, file)), process.turn);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      await process.stderr.write(`tar: can't open '${file}': ${error.message}\n`);
      return 1;
    }
  const start = await input.read(process.signal);
  let given = start;
  const again: Input = {
    async read(signal) {
      const chunk = given ?? (await input.read(signal));
      given = undefined;
      return chunk;
    },
  };
  const zipped = start?.[0] === 0x1f && start[1] === 0x8b;
  const reader = new Reader(zipped ? through(process, again, createGunzip()) : again, process.signal);
  const strip = Number(options.get('strip') ?? 0);
  const wanted = options.operands.map(name => trimEnd(name, '/'));
  const excluded = excluder(options);
  const say = options.has('O') ? process.stderr : process.stdout;
  for await (const header of headers(reader)) {
    const { name, size } = header;
    const chosen =
      wanted.length === 0 || wanted.some(path => name === path || name === `${path}/` || name.startsWith(`${path}/`));
    const stripped = trimStart(trimEnd(name, '/').split('/').slice(strip).join('/'), '/');
    if (!chosen || excluded(name)) {
      await reader.skip(size + padding(size).length);
      continue;
    }
    if (options.has('t') || options.has('v')) await say.write(`${name}\n`);
    let left = size;
    try {
      if (!options.has('t') && stripped !== '') {
        const output = await place(process, options, header, directory, stripped);
        for (; left > 0;) {
          const piece = await reader.some(left);
          if (piece.length === 0) throw new Error('short read');
          left -= piece.length;
          await output?.write(piece);
        }
        if (header.type === '0' && !options.has('O'))
          settle(process, options, header, resolvePath(directory, stripped));
      }
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      await process.stderr.write(`tar: can't open '${stripped}': ${error.message}\n`);
      return 1;
    }
    await reader.skip(left + padding(size).length);
  }
  return 0;
}

/** Makes what a header names; where its content goes. A link never leads out of the directory while unpacking. */
async function place(
  process: Process,
  options: Options,
  header: Header,
  directory: string,
  name: string,
): Promise<Output | undefined> {
  const { files } = process.container;
  if (name.split('/').includes('..')) throw new FileError('EPERM');
  const path = resolvePath(directory, name);
  if (options.has('O')) return header.type === '0' ? process.stdout : undefined;
  files.makeDirectory(header.type === '5' ? path : resolvePath(path, '..'), { parents: true });
  switch (header.type) {
    case '5':
      if (options.has('p')) files.chmod(path, header.mode & 0o7777);
      return undefined;
    case '2':
      if (files.isLink(path) || files.kind(path) === 'file') files.remove(path);
      files.symlink(header.target, path);
      return undefined;
    case '1':
      if (files.isLink(path) || files.kind(path) === 'file') files.remove(path);
      files.link(resolvePath(directory, header.target), path);
      return undefined;
    case '6':
      files.makeSpecial(path, { fifo: true, mode: header.mode & 0o777 });
      return undefined;
    case '0':
    case '7':
      if (files.isLink(path)) files.remove(path);
      return writerOf(await files.openWrite(path, { mode: header.mode & 0o777 }), process.turn);
    default:
      return undefined;
  }
}

/** Mode, owner and time of what has been unpacked. */
function settle(process: Process, options: Options, { mode, time }: Header, path: string): void {
  const { files } = process.container;
  files.chmod(path, mode & 0o7777);
  if (!options.has('m') && time > 0) files.setTime(path, time);
}

async function create(process: Process, options: Options): Promise<number> {
  const { files, clock } = process.container;
  const directory = resolvePath(process.cwd, options.get('C') ?? '.');
  const file = options.get('f') ?? '-';
  const target =
    file === '-' ? process.stdout : writerOf(await files.openWrite(resolvePath(process.cwd, file)), process.turn);
  const names = [...options.operands];
  const list = options.get('T');
  if (list !== undefined)
    names.push(
      ...(await files.read(resolvePath(process.cwd, list)))
        .toString()
        .split('\n')
        .filter(name => name !== ''),
    );
  if (names.length === 0) {
    await process.stderr.write('tar: empty archive\n');
    return 1;
  }
  const excluded = excluder(options);
  const seen = new Map<number, string>();
  let status = 0;
  let written = 0;

  const pack = async (output: Output): Promise<void> => {
    const put = async (data: Buffer): Promise<void> => {
      written += data.length;
      await output.write(data);
    };
    const add = async (name: string, depth: number): Promise<void> => {
      const path = resolvePath(directory, name);
      const stat = await (options.has('h') ? files.stat(path) : files.linkStat(path));
      if (stat === undefined || depth > 512) {
        await process.stderr.write(`tar: ${name}: No such file or directory\n`);
        status = 1;
        return;
      }
      const inside = name.replace(/^\/+/, '');
      if (excluded(inside)) return;
      if (options.has('v')) await process.stderr.write(`${inside}${stat.kind === 'directory' ? '/' : ''}\n`);
      await one(stat, path, inside === '' ? './' : inside);
      if (stat.kind !== 'directory') return;
      const base = trimEnd(name, '/');
      for (const child of files.list(path)) await add(base === '' ? `/${child}` : joinPath(base, child), depth + 1);
    };
    const one = async (stat: FileStat, path: string, inside: string): Promise<void> => {
      const common = {
        mode: stat.mode,
        uid: stat.uid,
        gid: stat.gid,
        time: stat.mtime ?? clock.now(),
        target: '',
        size: 0,
      };
      if (stat.kind === 'directory')
        return put(headerBlocks({ ...common, name: inside.endsWith('/') ? inside : `${inside}/`, type: '5' }));
      if (stat.kind === 'link')
        return put(headerBlocks({ ...common, name: inside, type: '2', target: stat.target ?? '' }));
      if (stat.type === 'fifo') return put(headerBlocks({ ...common, name: inside, type: '6' }));
      if (stat.type !== 'regular') return;
      const other = stat.names > 1 ? seen.get(stat.inode) : undefined;
      if (other !== undefined) return put(headerBlocks({ ...common, name: inside, type: '1', target: other }));
      seen.set(stat.inode, inside);
      const input = readerOf(await files.openRead(path), process.turn);
      await put(headerBlocks({ ...common, name: inside, type: '0', size: stat.size }));
      // As long as it was when the header was written, whatever becomes of it meanwhile.
      let left = stat.size;
      for (
        let chunk = await input.read(process.signal);
        chunk !== undefined && left > 0;
        chunk = await input.read(process.signal)
      ) {
        const piece = chunk.subarray(0, left);
        await put(piece);
        left -= piece.length;
      }
      for (; left > 0; left -= Math.min(left, BLOCK)) await put(Buffer.alloc(Math.min(left, BLOCK)));
      await put(padding(stat.size));
    };
    for (const name of names) await add(name, 0);
    const record = BLOCK * BLOCKS_PER_RECORD;
    await put(Buffer.alloc(2 * BLOCK));
    await put(Buffer.alloc((record - (written % record)) % record));
  };
  if (!options.has('z')) {
    await pack(target);
    return status;
  }
  const zip = createGzip();
  const done = drainInto(process, zip, target);
  await pack({
    write: data =>
      new Promise<void>((resolve, reject) => zip.write(data, error => (error ? reject(error) : resolve()))),
  });
  zip.end();
  await done;
  return status;
}

async function drainInto(process: Process, from: AsyncIterable<Buffer>, to: Output): Promise<void> {
  for await (const chunk of from) {
    await process.turn();
    await to.write(chunk);
  }
}
