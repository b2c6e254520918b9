import { FileError, resolvePath } from '../file-system.js';
import { baseName, joinPath } from '../paths.js';
import type { Process, Program } from '../process.js';
import { readerOf, writerOf } from '../spawn.js';
import { forEachPath, usage } from './each-path.js';
import { parseOptions, type Options } from './options.js';

/** Where something goes that is given a target: into it, when that is a directory. */
export function targetPath(process: Process, to: string, from: string): string {
  const path = resolvePath(process.cwd, to);
  return process.container.files.kind(path) === 'directory' ? joinPath(path, baseName(from)) : path;
}

/** Copies the bytes of a file, piece by piece. @throws FileError */
export async function copyFile(process: Process, from: string, to: string, mode: number): Promise<void> {
  const { files } = process.container;
  const input = readerOf(await files.openRead(from), process.turn);
  const output = writerOf(await files.openWrite(to, { mode: mode & 0o777 }), process.turn);
  for (let chunk = await input.read(process.signal); chunk !== undefined; chunk = await input.read(process.signal))
    await output.write(chunk);
}

const MAX_DEPTH = 512;

/** cp [-afHLPpRrsluvTt] SOURCE... TARGET */
export const cp: Program = async process => {
  const options = parseOptions(process.args.slice(1), {
    short: 'rRapdfLHPsluvTit:',
    long: {
      recursive: 'r',
      archive: 'a',
      force: 'f',
      parents: 'parents',
      'no-dereference': 'P',
      dereference: 'L',
      verbose: 'v',
    },
  });
  const operands = [...options.operands];
  const to = options.get('t') ?? operands.pop();
  if (to === undefined || operands.length === 0) return usage(process, 'cp [-arPLHpfilsTu] SOURCE DEST');
  const { files } = process.container;
  if (operands.length > 1 && files.kind(resolvePath(process.cwd, to)) !== 'directory') {
    await process.stderr.write(`cp: target '${to}': Not a directory\n`);
    return 1;
  }
  return forEachPath(process, operands, 'stat', async (path, given) => {
    const target = options.has('T') ? resolvePath(process.cwd, to) : targetPath(process, to, given);
    await copy(process, options, path, target, 0);
  });
};

async function copy(process: Process, options: Options, from: string, to: string, depth: number): Promise<void> {
  const { files } = process.container;
  const { has } = options;
  if (depth > MAX_DEPTH) throw new FileError('ENAMETOOLONG');
  const wait = process.turn();
  if (wait !== undefined) await wait;
  const recursive = has('r') || has('R') || has('a');
  const asLink = has('P') || has('a') || has('d') || (recursive && !has('L') && !(has('H') && depth === 0));
  const stat = asLink ? await files.linkStat(from) : await files.stat(from);
  if (stat === undefined) throw new FileError('ENOENT');
  const say = (): void | Promise<void> => (has('v') ? process.stdout.write(`'${from}' -> '${to}'\n`) : undefined);
  if (stat.kind === 'directory') {
    if (!recursive) {
      await process.stderr.write(`cp: omitting directory '${from}'\n`);
      throw new FileError('EISDIR');
    }
    if (to === from || to.startsWith(`${from}/`)) throw new FileError('EINVAL');
    if (files.kind(to) === undefined) files.makeDirectory(to, { mode: stat.mode });
    await say();
    for (const name of files.list(from))
      await copy(process, options, joinPath(from, name), joinPath(to, name), depth + 1);
  } else if (stat.kind === 'link') {
    if (files.isLink(to) || files.kind(to) === 'file') files.remove(to);
    files.symlink(stat.target ?? '', to);
    return void (await say());
  } else {
    const old = await files.stat(to);
    if (old?.inode === stat.inode && old.tree === stat.tree) {
      await process.stderr.write(`cp: '${from}' and '${to}' are the same file\n`);
      throw new FileError('EEXIST');
    }
    if (has('u') && old !== undefined && (old.mtime ?? 0) >= (stat.mtime ?? 0)) return;
    if (has('s') || has('l')) {
      if (has('s')) files.symlink(from, to);
      else files.link(from, to);
      return void (await say());
    }
    if (has('f') && files.kind(to) === 'file' && !files.allows(to, 'write')) files.remove(to);
    await copyFile(process, from, to, stat.mode);
    await say();
  }
  if (!has('p') && !has('a')) return;
  files.chmod(to, stat.mode);
  if (process.container.security.credentials.uid === 0) files.chown(to, { uid: stat.uid, gid: stat.gid });
  if (stat.mtime !== undefined) files.setTime(to, stat.mtime);
}
