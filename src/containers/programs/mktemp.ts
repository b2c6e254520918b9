import { trimEnd } from '../../machinery/trim.js';
import { FileError, resolvePath } from '../file-system.js';
import { joinPath } from '../paths.js';
import type { Program } from '../process.js';
import { usage } from './each-path.js';
import { changeMode } from './modes.js';
import { parseOptions } from './options.js';
import { copyFile, targetPath } from './cp.js';
import { accountNames } from './accounts.js';

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

/** mktemp [-dqtu] [-p DIRECTORY] [TEMPLATE] */
export const mktemp: Program = async process => {
  const { operands, has, get } = parseOptions(process.args.slice(1), {
    short: 'dqtup:',
    long: { directory: 'd', tmpdir: 'p:' },
  });
  const template = operands[0] ?? 'tmp.XXXXXX';
  const marks = template.slice(trimEnd(template, 'X').length);
  const { files, random } = process.container;
  const base = get('p') ?? (has('t') || operands.length === 0 ? (process.env['TMPDIR'] ?? '/tmp') : undefined);
  const fail = async (text: string): Promise<number> => {
    if (!has('q')) await process.stderr.write(`mktemp: ${text}\n`);
    return 1;
  };
  if (marks.length < 6) return fail(`(null): Invalid argument`);
  for (let attempt = 0; attempt < 100; attempt++) {
    const tail = Array.from(
      marks,
      (_, i) => LETTERS[(Math.floor(random() * LETTERS.length) + attempt * 7 + i * attempt) % LETTERS.length],
    ).join('');
    const name = template.slice(0, -marks.length) + tail;
    const shown = base === undefined ? name : joinPath(base, name);
    const path = resolvePath(process.cwd, shown);
    if (files.kind(path) !== undefined) continue;
    try {
      if (has('u')) void 0;
      else if (has('d')) files.makeDirectory(path, { mode: 0o700 });
      else await files.write(path, Buffer.alloc(0), { mode: 0o600 });
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      return fail(`${shown}: ${error.message}`);
    }
    await process.stdout.write(`${shown}\n`);
    return 0;
  }
  return fail(`${template}: File exists`);
};

/** install [-cdDps] [-o USER] [-g GROUP] [-m MODE] [SOURCE...] TARGET */
export const install: Program = async process => {
  const { operands, has, get } = parseOptions(process.args.slice(1), {
    short: 'cdDpsvo:g:m:t:',
    long: { directory: 'd', mode: 'm:', owner: 'o:', group: 'g:' },
  });
  const { files } = process.container;
  const names = await accountNames(process);
  const mode = changeMode(get('m') ?? '755', 0o755);
  const settle = (path: string): void => {
    files.chmod(path, mode);
    const [uid, gid] = [
      get('o') === undefined ? undefined : names.uid(get('o') ?? ''),
      get('g') === undefined ? undefined : names.gid(get('g') ?? ''),
    ];
    if (uid !== undefined || gid !== undefined)
      files.chown(path, { ...(uid === undefined ? {} : { uid }), ...(gid === undefined ? {} : { gid }) });
  };
  const sources = [...operands];
  try {
    if (has('d')) {
      for (const name of sources) {
        const path = resolvePath(process.cwd, name);
        files.makeDirectory(path, { parents: true });
        settle(path);
      }
      return 0;
    }
    const target = get('t') ?? sources.pop();
    if (target === undefined || sources.length === 0)
      return await usage(process, 'install [-cdDsp] [-o USER] [-g GRP] [-m MODE] [-t DIR] [SOURCE]... DEST');
    for (const source of sources) {
      const to = targetPath(process, target, source);
      if (has('D')) files.makeDirectory(resolvePath(to, '..'), { parents: true });
      if (files.isLink(to)) files.remove(to);
      await copyFile(process, resolvePath(process.cwd, source), to, mode);
      settle(to);
    }
    return 0;
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    await process.stderr.write(`install: ${sources[0] ?? ''}: ${error.message}\n`);
    return 1;
  }
};

/** mkfifo [-m MODE] NAME... */
export const mkfifo: Program = async process => {
  await process.stderr.write('mkfifo: not simulated here: named pipes\n');
  return 1;
};

/** mknod [-m MODE] NAME TYPE [MAJOR MINOR]: the memory devices. */
export const mknod: Program = async process => {
  const { operands, get } = parseOptions(process.args.slice(1), { short: 'm:' });
  const [name, type, major, minor] = operands;
  if (name === undefined || type === undefined) return usage(process, 'mknod [-m MODE] NAME TYPE [MAJOR MINOR]');
  const device =
    type === 'c' && major === '1'
      ? ({ 3: 'null', 5: 'zero', 7: 'full', 8: 'random', 9: 'random' } as const)[Number(minor)]
      : undefined;
  if (device === undefined) {
    await process.stderr.write(`mknod: not simulated here: device ${type} ${major ?? ''} ${minor ?? ''}\n`);
    return 1;
  }
  try {
    process.container.files.makeSpecial(resolvePath(process.cwd, name), {
      device,
      mode: changeMode(get('m') ?? '644', 0o644),
    });
    return 0;
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    await process.stderr.write(`mknod: ${name}: ${error.message}\n`);
    return 1;
  }
};
