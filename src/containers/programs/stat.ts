import { DEVICE_NUMBERS } from '../devices.js';
import { FileError, type FileStat } from '../file-system.js';
import { baseName } from '../paths.js';
import type { Program } from '../process.js';
import { accountNames } from './accounts.js';
import { forEachPath } from './each-path.js';
import { permissions } from './modes.js';
import { parseOptions } from './options.js';
import { formatTime } from './times.js';

const KINDS: Readonly<Record<FileStat['type'], string>> = {
  regular: 'regular file',
  directory: 'directory',
  link: 'symbolic link',
  character: 'character special file',
  fifo: 'fifo',
};
const TYPE_BITS: Readonly<Record<FileStat['type'], number>> = {
  regular: 0o100000,
  directory: 0o040000,
  link: 0o120000,
  character: 0o020000,
  fifo: 0o010000,
};

/** stat [-Lt] [-c FORMAT] FILE... */
export const stat: Program = async process => {
  const { operands, get, has } = parseOptions(process.args.slice(1), {
    short: 'Lftc:',
    long: { format: 'c:', dereference: 'L', printf: 'c:' },
  });
  const { files, clock } = process.container;
  const names = await accountNames(process);
  return forEachPath(process, operands, 'stat', async (path, given) => {
    const found = has('L') ? await files.stat(path) : await files.linkStat(path);
    if (found === undefined) throw new FileError('ENOENT');
    const { uid, gid, mode, size, type, inode } = found;
    const known = (name: string): string => (/^\d+$/.test(name) ? 'UNKNOWN' : name);
    const time = found.mtime ?? clock.now();
    const when = formatTime('%Y-%m-%d %H:%M:%S.%N %z', time);
    const numbers = DEVICE_NUMBERS[baseName(path)] ?? [0, 0];
    const values: Readonly<Record<string, string>> = {
      n: given,
      N: found.target === undefined ? `'${given}'` : `'${given}' -> '${found.target}'`,
      s: String(size),
      a: mode.toString(8),
      A: permissions(mode, type),
      f: (mode | TYPE_BITS[type]).toString(16),
      u: String(uid),
      g: String(gid),
      U: known(names.user(uid)),
      G: known(names.group(gid)),
      F: type === 'regular' && size === 0 ? 'regular empty file' : KINDS[type],
      i: String(inode),
      h: String(found.names),
      b: String(Math.ceil(size / 512)),
      B: '512',
      o: '4096',
      d: '44',
      D: '2c',
      t: numbers[0].toString(16),
      T: numbers[1].toString(16),
      X: String(Math.floor(time / 1000)),
      Y: String(Math.floor(time / 1000)),
      Z: String(Math.floor(time / 1000)),
      x: when,
      y: when,
      z: when,
      '%': '%',
    };
    const format = get('c');
    if (format !== undefined) {
      await process.stdout.write(`${format.replace(/%([a-zA-Z%])/g, (match, key: string) => values[key] ?? match)}\n`);
      return;
    }
    const v = (key: string): string => values[key] ?? '';
    await process.stdout.write(
      `  File: ${found.target === undefined ? given : `'${given}' -> '${found.target}'`}\n` +
        `  Size: ${v('s').padEnd(10)}\tBlocks: ${v('b').padEnd(10)} IO Block: 4096   ${v('F')}\n` +
        `Device: 2ch/44d\tInode: ${v('i').padEnd(10)}  Links: ${v('h')}\n` +
        `Access: (${mode.toString(8).padStart(4, '0')}/${v('A')})  Uid: (${v('u').padStart(5)}/${v('U').padStart(8)})   Gid: (${v('g').padStart(5)}/${v('G').padStart(8)})\n` +
        `Access: ${when}\nModify: ${when}\nChange: ${when}\n`,
    );
  });
};
