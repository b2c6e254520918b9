import { FileError, resolvePath, type FileStat } from '../../file-system.js';
import { baseName } from '../../paths.js';
import type { Process } from '../../process.js';
import { compileRegex } from '../../../machinery/regex/regex.js';
import { compilePattern, matchesSteps } from '../../shell/pattern.js';
import { accountNames } from '../accounts.js';
import type { Found, Test } from './found.js';

const DAY_MS = 86_400_000;
const SIZE_UNITS: Readonly<Record<string, number>> = {
  '': 512,
  b: 512,
  c: 1,
  w: 2,
  k: 1024,
  M: 1024 ** 2,
  G: 1024 ** 3,
};
const TYPES: Readonly<Record<string, FileStat['type']>> = {
  f: 'regular',
  d: 'directory',
  l: 'link',
  c: 'character',
  p: 'fifo',
};

/** "+5": more than; "-5": less than; "5": just. */
const compare = (text: string, value: number): boolean => {
  const number = Number(text.replace(/^[-+]/, ''));
  if (text.startsWith('+')) return value > number;
  return text.startsWith('-') ? value < number : value === number;
};

const named = (pattern: string, text: (found: Found) => string, fold = false): Test => {
  const steps = compilePattern([{ text: fold ? pattern.toLowerCase() : pattern, quoted: false }]);
  return found => matchesSteps(steps, fold ? text(found).toLowerCase() : text(found));
};

/** A test of what a file is; `value` takes its argument. undefined: there is none of this name. */
export async function fileTest(word: string, value: () => string, process: Process): Promise<Test | undefined> {
  const { files, clock } = process.container;
  const age = (found: Found): number => clock.now() - (found.stat.mtime ?? 0);
  switch (word) {
    case '-name':
      return named(value(), found => baseName(found.path));
    case '-iname':
      return named(value(), found => baseName(found.path), true);
    case '-path':
    case '-wholename':
      return named(value(), found => found.path);
    case '-ipath':
      return named(value(), found => found.path, true);
    case '-regex': {
      const regex = compileRegex(`^(${value()})$`, { extended: true }, process.turn);
      return async found => regex.test(found.path);
    }
    case '-type': {
      const types = value()
        .split(',')
        .map(letter => TYPES[letter]);
      return found => types.includes(found.stat.type);
    }
    case '-size': {
      const [, sign = '', number = '', unit = ''] = /^([-+]?)(\d{1,15})([bcwkMG]?)$/.exec(value()) ?? [];
      if (number === '') throw new Error('invalid -size');
      return found => compare(sign + number, Math.ceil(found.stat.size / (SIZE_UNITS[unit] ?? 512)));
    }
    case '-empty':
      return found =>
        found.stat.kind === 'directory'
          ? files.list(resolvePath(process.cwd, found.path)).length === 0
          : found.stat.type === 'regular' && found.stat.size === 0;
    case '-newer': {
      const other = await files.stat(resolvePath(process.cwd, value()));
      if (other === undefined) throw new FileError('ENOENT');
      return found => (found.stat.mtime ?? 0) > (other.mtime ?? 0);
    }
    case '-mtime':
    case '-atime':
    case '-ctime': {
      const days = value();
      return found => compare(days, Math.floor(age(found) / DAY_MS));
    }
    case '-mmin':
    case '-amin':
    case '-cmin': {
      const minutes = value();
      return found => compare(minutes, Math.floor(age(found) / 60_000));
    }
    case '-links': {
      const count = value();
      return found => compare(count, found.stat.names);
    }
    case '-inum': {
      const inode = Number(value());
      return found => found.stat.inode === inode;
    }
    case '-perm': {
      const text = value();
      const mode = parseInt(text.replace(/^[-/+]/, ''), 8);
      if (Number.isNaN(mode)) throw new Error(`invalid mode '${text}'`);
      return ({ stat }) => {
        if (text.startsWith('-')) return (stat.mode & mode) === mode;
        return text.startsWith('/') || text.startsWith('+') ? (stat.mode & mode) !== 0 : (stat.mode & 0o7777) === mode;
      };
    }
    case '-user':
    case '-group': {
      const names = await accountNames(process);
      const name = value();
      const id = word === '-user' ? names.uid(name) : names.gid(name);
      if (id === undefined) throw new Error(`unknown ${word.slice(1)} ${name}`);
      return ({ stat }) => (word === '-user' ? stat.uid : stat.gid) === id;
    }
    default:
      return undefined;
  }
}
