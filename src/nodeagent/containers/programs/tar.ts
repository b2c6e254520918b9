import { gunzipSync, gzipSync } from 'node:zlib';
import { FileError, resolvePath } from '../file-system.js';
import { readAll } from '../io.js';
import type { Process, Program } from '../process.js';
import { parseOptions } from './options.js';

const BLOCK = 512;

interface Entry {
  readonly name: string;
  readonly directory: boolean;
  readonly mode: number;
  readonly data: Buffer;
}

/** A ustar header; the name is cut into prefix and name where it is long. */
function header({ name, directory, mode, data }: Entry, time: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  const full = directory && !name.endsWith('/') ? `${name}/` : name;
  const cut = full.length <= 100 ? -1 : full.lastIndexOf('/', 154);
  block.write(cut < 0 ? full : full.slice(cut + 1), 0, 100);
  if (cut >= 0) block.write(full.slice(0, cut), 345, 155);
  const octal = (value: number, at: number, size: number): void => {
    block.write(`${value.toString(8).padStart(size - 1, '0')}\0`, at, size);
  };
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(data.length, 124, 12);
  octal(Math.floor(time / 1000), 136, 12);
  block.write(directory ? '5' : '0', 156);
  block.write('ustar\x0000', 257);
  block.write('root', 265);
  block.write('root', 297);
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

const padding = (size: number): Buffer => Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);

function* parse(archive: Buffer): Generator<Entry> {
  let longName: string | undefined;
  const text = (block: Buffer, at: number, size: number): string =>
    block.toString('utf8', at, at + size).replace(/\0[^]*$/, '');
  for (let at = 0; at + BLOCK <= archive.length;) {
    const block = archive.subarray(at, at + BLOCK);
    at += BLOCK;
    if (block.every(byte => byte === 0)) continue;
    const size = parseInt(text(block, 124, 12).trim() || '0', 8);
    const data = archive.subarray(at, at + size);
    at += Math.ceil(size / BLOCK) * BLOCK;
    const type = text(block, 156, 1);
    // Names that fit no header travel as records of their own: GNU's "L", and "path" of a pax header.
    if (type === 'L') longName = data.toString('utf8').replace(/\0+$/, '');
    else if (type === 'x') longName = /^\d+ path=(.*)$/m.exec(data.toString('utf8'))?.[1] ?? longName;
    else if (type === '0' || type === '' || type === '5') {
      const prefix = text(block, 345, 155);
      const name = longName ?? (prefix === '' ? text(block, 0, 100) : `${prefix}/${text(block, 0, 100)}`);
      longName = undefined;
      yield { name, directory: type === '5', mode: parseInt(text(block, 100, 8).trim() || '644', 8), data };
    }
  }
}

/** tar c|x|t [-z] [-v] [-f FILE] [-C DIR] [--] [PATH...]: what kubectl cp needs. */
export const tar: Program = async process => {
  const [, first = '', ...rest] = process.args;
  const args = first.startsWith('-') ? [first, ...rest] : [`-${first}`, ...rest];
  const options = parseOptions(args, {
    short: 'cxtzvmpPohf:C:',
    long: { 'no-same-owner': 'o', 'no-same-permissions': 'o', 'strip-components': 'strip:', directory: 'C:' },
  });
  const directory = resolvePath(process.cwd, options.get('C') ?? '.');
  const file = options.get('f') ?? '-';
  if (options.has('c')) return create(process, options.operands, directory, file, options.has('z'));
  if (!options.has('x') && !options.has('t')) {
    await process.stderr.write('tar: must specify one of -c, -x, -t\n');
    return 1;
  }
  const { files } = process.container;
  const raw =
    file === '-' ? await readAll(process.stdin, process.signal) : await files.read(resolvePath(process.cwd, file));
  const archive = raw[0] === 0x1f && raw[1] === 0x8b ? gunzipSync(raw) : raw;
  const strip = Number(options.get('strip') ?? 0);
  for (const { name, directory: isDirectory, data, mode } of parse(archive)) {
    const stripped = name.replace(/\/+$/, '').split('/').slice(strip).join('/');
    if (options.has('t') || options.has('v')) await process.stdout.write(`${name}\n`);
    if (options.has('t') || stripped === '') continue;
    const target = resolvePath(directory, stripped.replace(/^\/+/, ''));
    try {
      files.makeDirectory(isDirectory ? target : resolvePath(target, '..'), { parents: true });
      if (isDirectory) continue;
      await files.write(target, Buffer.from(data), { mode: mode & 0o777 });
      if ((await files.stat(target))?.mode !== (mode & 0o777)) files.chmod(target, mode & 0o777);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      await process.stderr.write(`tar: can't open '${stripped}': ${error.message}\n`);
      return 1;
    }
  }
  return 0;
};

async function create(
  process: Process,
  names: readonly string[],
  directory: string,
  file: string,
  zip: boolean,
): Promise<number> {
  const { files, clock } = process.container;
  const parts: Buffer[] = [];
  let status = 0;
  const add = async (name: string): Promise<void> => {
    const path = resolvePath(directory, name);
    const stat = await files.stat(path);
    if (stat === undefined) {
      await process.stderr.write(`tar: ${name}: No such file or directory\n`);
      status = 1;
      return;
    }
    const inside = name.replace(/^\/+/, '');
    const isDirectory = stat.kind === 'directory';
    const data = isDirectory ? Buffer.alloc(0) : await files.read(path);
    if (inside !== '')
      parts.push(
        header({ name: inside, directory: isDirectory, mode: stat.mode, data }, clock.now()),
        data,
        padding(data.length),
      );
    if (isDirectory) for (const child of files.list(path)) await add(`${name.replace(/\/+$/, '')}/${child}`);
  };
  for (const name of names) await add(name);
  const archive = Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
  const output = zip ? gzipSync(archive) : archive;
  if (file === '-') await process.stdout.write(output);
  else await files.write(resolvePath(process.cwd, file), output);
  return status;
}
