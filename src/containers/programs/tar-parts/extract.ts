import { createGunzip } from 'node:zlib';
import { trimEnd, trimStart } from '../../../machinery/trim.js';
import { FileError, resolvePath } from '../../file-system.js';
import type { Input, Output } from '../../io.js';
import type { Process } from '../../process.js';
import { readerOf, writerOf } from '../../spawn.js';
import type { Options } from '../options.js';
import { through } from '../through.js';
import { ArchiveReader, headers } from './archive-reader.js';
import { excluder } from './excluder.js';
import { padding, type Header } from './header.js';

/** tar x and t. */
export async function extract(process: Process, options: Options): Promise<number> {
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
  const reader = new ArchiveReader(zipped ? through(process, again, createGunzip()) : again, process.signal);
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
