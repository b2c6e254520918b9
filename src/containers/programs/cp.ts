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
  const many = operands.length > 1;
  let status = 0;
  const failed = await forEachPath(process, operands, 'stat', async (path, given) => {
    const into = !options.has('T') && (many || files.kind(resolvePath(process.cwd, to)) === 'directory');
    const shown = into ? `${to.replace(/\/$/, '')}/${baseName(given)}` : to;
    status = Math.max(
      status,
      await copy(process, options, { path, shown: given }, { path: resolvePath(process.cwd, shown), shown }, 0),
    );
  });
  return Math.max(status, failed);
};

interface Named {
  readonly path: string;
  /** As messages call it. */
  readonly shown: string;
}

/** Copies one thing. What goes wrong and has been said gives 1. @throws FileError */
async function copy(process: Process, options: Options, from: Named, to: Named, depth: number): Promise<number> {
  const { files } = process.container;
  const { has } = options;
  const wait = process.turn();
  if (wait !== undefined) await wait;
  const complain = async (text: string): Promise<number> => {
    await process.stderr.write(`cp: ${text}\n`);
    return 1;
  };
  const recursive = has('r') || has('R') || has('a');
  const asLink = has('P') || has('a') || has('d') || (recursive && !has('L') && !(has('H') && depth === 0));
  const stat = asLink ? await files.linkStat(from.path) : await files.stat(from.path);
  if (stat === undefined || depth > MAX_DEPTH) throw new FileError('ENOENT');
  const say = (): void | Promise<void> =>
    has('v') ? process.stdout.write(`'${from.shown}' -> '${to.shown}'\n`) : undefined;
  let status = 0;
  if (stat.kind === 'directory') {
    if (!recursive) return complain(`omitting directory '${from.shown}'`);
    if (to.path === from.path || to.path.startsWith(`${from.path}/`))
      return complain(`recursion detected, omitting directory '${from.shown}'`);
    if (files.kind(to.path) === undefined) files.makeDirectory(to.path, { mode: stat.mode });
    await say();
    for (const name of files.list(from.path)) {
      const inner = (place: Named): Named => ({
        path: joinPath(place.path, name),
        shown: `${place.shown.replace(/\/$/, '')}/${name}`,
      });
      status = Math.max(status, await copy(process, options, inner(from), inner(to), depth + 1));
    }
  } else if (stat.kind === 'link') {
    if (files.isLink(to.path) || files.kind(to.path) === 'file') files.remove(to.path);
    files.symlink(stat.target ?? '', to.path);
    await say();
    return 0;
  } else {
    const old = await files.stat(to.path);
    if (old?.inode === stat.inode && old.tree === stat.tree)
      return complain(`'${from.shown}' and '${to.shown}' are the same file`);
    if (has('u') && old !== undefined && (old.mtime ?? 0) >= (stat.mtime ?? 0)) return 0;
    try {
      if (has('s')) files.symlink(from.path, to.path);
      else if (has('l')) files.link(from.path, to.path);
      else {
        if (has('f') && files.kind(to.path) === 'file' && !files.allows(to.path, 'write')) files.remove(to.path);
        await copyFile(process, from.path, to.path, stat.mode);
      }
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      return complain(`can't create '${to.shown}': ${error.message}`);
    }
    await say();
    if (has('s') || has('l')) return 0;
  }
  if (!has('p') && !has('a')) return status;
  files.chmod(to.path, stat.mode);
  if (process.container.security.credentials.uid === 0) files.chown(to.path, { uid: stat.uid, gid: stat.gid });
  if (stat.mtime !== undefined) files.setTime(to.path, stat.mtime);
  return status;
}
