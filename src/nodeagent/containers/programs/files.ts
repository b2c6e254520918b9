import { createHash } from 'node:crypto';
import { FileError, resolvePath } from '../file-system.js';
import { readAll } from '../io.js';
import type { Process, Program } from '../process.js';
import { parseOptions } from './options.js';
import { forEachInput } from './each-input.js';

/** Runs `each` for every path; what fails is said, as "name: can't verb 'path': reason", and gives 1. */
async function forEachPath(
  process: Process,
  paths: readonly string[],
  verb: string,
  each: (absolute: string, given: string) => Promise<void> | void,
): Promise<number> {
  let status = 0;
  for (const path of paths)
    try {
      await each(resolvePath(process.cwd, path), path);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      await process.stderr.write(`${process.args[0] ?? ''}: can't ${verb} '${path}': ${error.message}\n`);
      status = 1;
    }
  return status;
}

/** "drwxr-sr-x", as ls shows it. */
function permissions(mode: number, directory: boolean): string {
  const letters = [6, 3, 0].map((shift, who) => {
    const [r = '', w = '', x = ''] = ['r', 'w', 'x'].map((c, i) => (((mode >> shift) & (4 >> i)) !== 0 ? c : '-'));
    // setuid, setgid and sticky show in the place of x.
    const special = (mode & (0o4000 >> who)) === 0 ? undefined : who === 2 ? 't' : 's';
    return r + w + (special === undefined ? x : x === 'x' ? special : special.toUpperCase());
  });
  return (directory ? 'd' : '-') + letters.join('');
}

export const ls: Program = async process => {
  const { operands, has } = parseOptions(process.args.slice(1), { short: 'la1hARdtr', long: { all: 'a' } });
  const { files } = process.container;
  const paths = operands.length === 0 ? ['.'] : operands;
  const line = async (path: string, shown: string): Promise<string> => {
    if (!has('l')) return `${shown}\n`;
    const stat = await files.stat(path);
    if (stat === undefined) throw new FileError('ENOENT');
    const [owner, group] = [stat.uid, stat.gid].map(id => (id === 0 ? 'root' : String(id)).padEnd(8));
    return `${permissions(stat.mode, stat.kind === 'directory')}    1 ${owner ?? ''} ${group ?? ''} ${String(stat.size).padStart(9)} ${shown}\n`;
  };
  const list = async (path: string, title: string | undefined): Promise<void> => {
    if (title !== undefined) await process.stdout.write(`${title}:\n`);
    const names = files.list(path).filter(name => has('a') || has('A') || !name.startsWith('.'));
    for (const name of names) await process.stdout.write(await line(resolvePath(path, name), name));
    if (!has('R')) return;
    for (const name of names) {
      const inner = resolvePath(path, name);
      if (files.kind(inner) !== 'directory') continue;
      await process.stdout.write('\n');
      await list(inner, inner);
    }
  };
  let status = 0;
  for (const path of paths)
    try {
      const absolute = resolvePath(process.cwd, path);
      const kind = files.kind(absolute);
      if (kind === undefined) throw new FileError('ENOENT');
      if (kind === 'file' || has('d')) await process.stdout.write(await line(absolute, path));
      else await list(absolute, paths.length > 1 || has('R') ? path : undefined);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      await process.stderr.write(`ls: ${path}: ${error.message}\n`);
      status = 1;
    }
  return status;
};

export const mkdir: Program = process => {
  const { operands, has } = parseOptions(process.args.slice(1), { short: 'pm:' });
  return forEachPath(process, operands, 'create directory', path =>
    process.container.files.makeDirectory(path, { parents: has('p') }),
  );
};

export const rm: Program = process => {
  const { operands, has } = parseOptions(process.args.slice(1), { short: 'rRf' });
  const { files } = process.container;
  return forEachPath(process, operands, 'remove', path => {
    const kind = files.kind(path);
    if (kind === undefined && has('f')) return;
    if (kind === 'directory' && !has('r') && !has('R')) throw new FileError('EISDIR');
    files.remove(path, { recursive: true });
  });
};

export const rmdir: Program = process =>
  forEachPath(process, process.args.slice(1), 'remove', path => process.container.files.remove(path));

export const touch: Program = process =>
  forEachPath(process, process.args.slice(1), 'create', path =>
    process.container.files.write(path, Buffer.alloc(0), { append: true }),
  );

const target = (process: Process, to: string, from: string): string => {
  const path = resolvePath(process.cwd, to);
  return process.container.files.kind(path) === 'directory'
    ? resolvePath(path, from.slice(from.lastIndexOf('/') + 1))
    : path;
};

export const cp: Program = async process => {
  const { operands } = parseOptions(process.args.slice(1), { short: 'rRapfL' });
  const { files } = process.container;
  const to = operands.at(-1) ?? '';
  const copy = async (from: string, path: string): Promise<void> => {
    if (files.kind(from) !== 'directory') return files.write(path, await files.read(from));
    files.makeDirectory(path, { parents: true });
    for (const name of files.list(from)) await copy(resolvePath(from, name), resolvePath(path, name));
  };
  return forEachPath(process, operands.slice(0, -1), 'copy', (path, given) => copy(path, target(process, to, given)));
};

export const mv: Program = process => {
  const { operands } = parseOptions(process.args.slice(1), { short: 'f' });
  const to = operands.at(-1) ?? '';
  return forEachPath(process, operands.slice(0, -1), 'rename', (path, given) =>
    process.container.files.rename(path, target(process, to, given)),
  );
};

/** "640", "u+x,go-w" or "a=r" applied to a mode. @throws Error */
export function changeMode(text: string, mode: number): number {
  if (/^[0-7]{1,4}$/.test(text)) return parseInt(text, 8);
  const shifts: Readonly<Record<string, number>> = { u: 6, g: 3, o: 0 };
  let result = mode;
  for (const clause of text.split(',')) {
    const [, who = '', operator = '', letters = ''] = /^([ugoa]*)([-+=])([rwxXst]*)$/.exec(clause) ?? [];
    if (operator === '') throw new Error(`invalid mode '${text}'`);
    const classes = who === '' || who.includes('a') ? ['u', 'g', 'o'] : [...who];
    for (const letter of classes) {
      const shift = shifts[letter] ?? 0;
      let bits = 0;
      if (letters.includes('r')) bits |= 4;
      if (letters.includes('w')) bits |= 2;
      if (letters.includes('x') || (letters.includes('X') && (mode & 0o111) !== 0)) bits |= 1;
      const special = letters.includes('s') ? { u: 0o4000, g: 0o2000, o: 0 }[letter] : undefined;
      const change = (bits << shift) | (special ?? 0) | (letters.includes('t') ? 0o1000 : 0);
      if (operator === '=') result = (result & ~(7 << shift)) | change;
      else result = operator === '+' ? result | change : result & ~change;
    }
  }
  return result;
}

export const chmod: Program = process => {
  const { operands, has } = parseOptions(
    // A mode that takes bits away begins like an option.
    process.args.slice(1).flatMap(arg => (/^-[rwxst]/.test(arg) ? [`a${arg}`] : [arg])),
    { short: 'Rfv' },
  );
  const [mode = '', ...paths] = operands;
  const { files } = process.container;
  const each = async (path: string): Promise<void> => {
    const found = await files.stat(path);
    if (found === undefined) throw new FileError('ENOENT');
    files.chmod(path, changeMode(mode, found.mode));
    if (has('R') && found.kind === 'directory')
      for (const name of files.list(path)) await each(resolvePath(path, name));
  };
  return forEachPath(process, paths, 'change mode of', each);
};

export const chown: Program = process => {
  const { operands, has } = parseOptions(process.args.slice(1), { short: 'Rfv' });
  const [owner = '', ...paths] = operands;
  const { files } = process.container;
  const id = (text: string | undefined): number | undefined => {
    if (text === undefined || text === '') return undefined;
    if (text === 'root') return 0;
    if (!/^\d+$/.test(text)) throw new Error(`unknown user ${text}`);
    return Number(text);
  };
  const [uid, gid] = owner.split(/[:.]/).map(id);
  const each = (path: string): void => {
    files.chown(path, { ...(uid === undefined ? {} : { uid }), ...(gid === undefined ? {} : { gid }) });
    if (has('R') && files.kind(path) === 'directory')
      for (const name of files.list(path)) each(resolvePath(path, name));
  };
  return forEachPath(process, paths, 'change ownership of', each);
};

export const chgrp: Program = process => {
  const options = process.args.slice(1).filter(arg => arg.startsWith('-'));
  const [group = '', ...paths] = process.args.slice(1).filter(arg => !arg.startsWith('-'));
  return chown({ ...process, args: [process.args[0] ?? '', ...options, `:${group}`, ...paths] });
};

/** stat [-c FORMAT]: %n %s %a %A %u %g %U %G %F. */
export const stat: Program = process => {
  const { operands, get } = parseOptions(process.args.slice(1), { short: 'Lc:', long: { format: 'c:' } });
  const format = get('c');
  return forEachPath(process, operands, 'stat', async (path, given) => {
    const found = await process.container.files.stat(path);
    if (found === undefined) throw new FileError('ENOENT');
    const { uid, gid, mode, size } = found;
    const kind = found.kind === 'directory' ? 'directory' : size === 0 ? 'regular empty file' : 'regular file';
    const name = (number: number): string => (number === 0 ? 'root' : 'UNKNOWN');
    const octal = mode.toString(8);
    const letters = permissions(mode, found.kind === 'directory');
    const values: Readonly<Record<string, string>> = {
      n: given,
      s: String(size),
      a: octal,
      A: letters,
      u: String(uid),
      g: String(gid),
      U: name(uid),
      G: name(gid),
      F: kind,
      '%': '%',
    };
    const text =
      format === undefined
        ? `  File: ${given}\n  Size: ${size}\t${kind}\nAccess: (${octal.padStart(4, '0')}/${letters})  Uid: (${String(uid).padStart(5)}/${name(uid).padStart(8)})   Gid: (${String(gid).padStart(5)}/${name(gid).padStart(8)})`
        : format.replace(/%([a-zA-Z%])/g, (match, key: string) => values[key] ?? match);
    await process.stdout.write(`${text}\n`);
  });
};

export const find: Program = async process => {
  const { files } = process.container;
  const [, ...args] = process.args;
  const paths: string[] = [];
  while (args[0] !== undefined && !args[0].startsWith('-')) paths.push(args.shift() ?? '');
  // Alternatives of tests that all must hold: "-a" binds tighter than "-o".
  const alternatives: ((path: string) => boolean)[][] = [[]];
  for (let arg = args.shift(); arg !== undefined; arg = args.shift()) {
    if (arg === '-o') {
      alternatives.push([]);
      continue;
    }
    if (arg === '-a' || arg === '-print') continue;
    const tests = alternatives.at(-1) ?? [];
    const value = args.shift() ?? '';
    if (arg === '-name') {
      const source = value
        .replace(/[.+^${}()|[\]\\]/g, '\\$&')
        .replace(/\*/g, '.*')
        .replace(/\?/g, '.');
      tests.push(path => new RegExp(`^${source}$`).test(path.slice(path.lastIndexOf('/') + 1)));
    } else if (arg === '-type')
      tests.push(path => files.kind(resolvePath(process.cwd, path)) === (value === 'd' ? 'directory' : 'file'));
    else throw new Error(`unrecognized: ${arg}`);
  }
  const walk = async (path: string): Promise<void> => {
    if (alternatives.some(tests => tests.every(test => test(path)))) await process.stdout.write(`${path}\n`);
    const absolute = resolvePath(process.cwd, path);
    if (files.kind(absolute) !== 'directory') return;
    for (const name of files.list(absolute)) await walk(path === '/' ? `/${name}` : `${path}/${name}`);
  };
  for (const path of paths.length === 0 ? ['.'] : paths) {
    if (files.kind(resolvePath(process.cwd, path)) !== undefined) await walk(path);
    else {
      await process.stderr.write(`find: ${path}: No such file or directory\n`);
      return 1;
    }
  }
  return 0;
};

export const basename: Program = async ({ args, stdout }) => {
  const [, path = '', suffix = ''] = args;
  const name = path.replace(/\/+$/, '').split('/').at(-1) ?? '';
  await stdout.write(`${suffix !== '' && name.endsWith(suffix) ? name.slice(0, -suffix.length) : name}\n`);
  return 0;
};

export const dirname: Program = async ({ args, stdout }) => {
  const path = (args[1] ?? '').replace(/\/+$/, '');
  const at = path.lastIndexOf('/');
  await stdout.write(`${at < 0 ? '.' : at === 0 ? '/' : path.slice(0, at)}\n`);
  return 0;
};

const digest =
  (algorithm: string): Program =>
  process =>
    forEachInput(process, process.args.slice(1), async (input, name) => {
      const data = await readAll(input, process.signal);
      await process.stdout.write(`${createHash(algorithm).update(data).digest('hex')}  ${name}\n`);
    });

export const sha256sum = digest('sha256');
export const md5sum = digest('md5');

/** test EXPRESSION, [ EXPRESSION ]: the POSIX primaries with !, -a, -o and parentheses. */
export const test: Program = async process => {
  const { files } = process.container;
  const args = process.args.slice(1);
  if (process.args[0] === '[' || process.args[0] === '[[') {
    if (args.pop() !== (process.args[0] === '[' ? ']' : ']]')) {
      await process.stderr.write(`${process.args[0]}: missing ]\n`);
      return 2;
    }
  }
  let at = 0;
  const at_ = (path: string): string => resolvePath(process.cwd, path);
  const unary: Readonly<Record<string, (value: string) => boolean | Promise<boolean>>> = {
    '-n': v => v !== '',
    '-z': v => v === '',
    '-e': v => files.kind(at_(v)) !== undefined,
    '-f': v => files.kind(at_(v)) === 'file',
    '-d': v => files.kind(at_(v)) === 'directory',
    '-r': v => files.allows(at_(v), 'read'),
    '-w': v => files.allows(at_(v), 'write'),
    '-x': v => files.allows(at_(v), 'execute'),
    '-s': async v => ((await files.stat(at_(v)))?.size ?? 0) > 0,
    '-L': () => false,
    '-h': () => false,
    '-t': () => process.tty,
  };
  const number = (text: string): number => {
    if (!/^\s*[-+]?\d+\s*$/.test(text)) throw new Error(`${text}: bad number`);
    return Number(text);
  };
  const binary: Readonly<Record<string, (a: string, b: string) => boolean>> = {
    '=': (a, b) => a === b,
    '==': (a, b) => a === b,
    '!=': (a, b) => a !== b,
    '<': (a, b) => a < b,
    '>': (a, b) => a > b,
    '-eq': (a, b) => number(a) === number(b),
    '-ne': (a, b) => number(a) !== number(b),
    '-lt': (a, b) => number(a) < number(b),
    '-le': (a, b) => number(a) <= number(b),
    '-gt': (a, b) => number(a) > number(b),
    '-ge': (a, b) => number(a) >= number(b),
  };
  const primary = async (): Promise<boolean> => {
    const first = args[at++];
    if (first === undefined) return false;
    const operator = args[at];
    const compare = operator === undefined ? undefined : binary[operator];
    if (compare !== undefined && args[at + 1] !== undefined) {
      at += 2;
      return compare(first, args[at - 1] ?? '');
    }
    if (first === '!' && operator !== undefined) return !(await primary());
    if (first === '(') {
      const value = await either();
      at++;
      return value;
    }
    const check = unary[first];
    if (check !== undefined && operator !== undefined) {
      at++;
      return check(operator);
    }
    return first !== '';
  };
  const both = async (): Promise<boolean> => {
    let value = await primary();
    while (args[at] === '-a' || args[at] === '&&') {
      at++;
      value = (await primary()) && value;
    }
    return value;
  };
  const either = async (): Promise<boolean> => {
    let value = await both();
    while (args[at] === '-o' || args[at] === '||') {
      at++;
      value = (await both()) || value;
    }
    return value;
  };
  try {
    const value = await either();
    if (at < args.length) throw new Error(`${args[at] ?? ''}: unexpected operator`);
    return value ? 0 : 1;
  } catch (error) {
    await process.stderr.write(`${process.args[0] ?? 'test'}: ${(error as Error).message}\n`);
    return 2;
  }
};
