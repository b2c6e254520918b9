import { createGzip } from 'node:zlib';
import { trimEnd } from '../../../machinery/trim.js';
import { resolvePath, type FileStat } from '../../file-system.js';
import type { Output } from '../../io.js';
import { joinPath } from '../../paths.js';
import type { Process } from '../../process.js';
import { readerOf, writerOf } from '../../spawn.js';
import type { Options } from '../options.js';
import { excluder } from './excluder.js';
import { BLOCK, headerBlocks, padding, RECORD } from './header.js';

/** tar c. */
export async function create(process: Process, options: Options): Promise<number> {
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
    await put(Buffer.alloc(2 * BLOCK));
    await put(Buffer.alloc((RECORD - (written % RECORD)) % RECORD));
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
