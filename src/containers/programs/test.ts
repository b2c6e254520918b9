import { resolvePath } from '../file-system.js';
import type { Program } from '../process.js';
import { paced } from '../paced.js';
import { fitting } from '../shell/pattern.js';

const MAX_DEPTH = 200;

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
    '-f': async v => (await files.stat(at_(v)))?.type === 'regular',
    '-d': v => files.kind(at_(v)) === 'directory',
    '-r': v => files.allows(at_(v), 'read'),
    '-w': v => files.allows(at_(v), 'write'),
    '-x': v => files.allows(at_(v), 'execute'),
    '-s': async v => ((await files.stat(at_(v)))?.size ?? 0) > 0,
    '-L': v => files.isLink(at_(v)),
    '-h': v => files.isLink(at_(v)),
    '-c': async v => (await files.stat(at_(v)))?.type === 'character',
    '-p': async v => (await files.stat(at_(v)))?.type === 'fifo',
    '-b': () => false,
    '-S': () => false,
    '-k': async v => (((await files.stat(at_(v)))?.mode ?? 0) & 0o1000) !== 0,
    '-u': async v => (((await files.stat(at_(v)))?.mode ?? 0) & 0o4000) !== 0,
    '-g': async v => (((await files.stat(at_(v)))?.mode ?? 0) & 0o2000) !== 0,
    '-O': async v => (await files.stat(at_(v)))?.uid === process.container.security.credentials.uid,
    '-G': async v => (await files.stat(at_(v)))?.gid === process.container.security.credentials.gid,
    '-t': v => process.tty && Number(v) <= 2,
  };
  const number = (text: string): bigint => {
    const trimmed = text.trim();
    if (!/^[-+]?\d+$/.test(trimmed)) throw new Error(`${text}: bad number`);
    return BigInt(trimmed.replace(/^\+/, ''));
  };
  const newer = async (a: string, b: string): Promise<boolean> => {
    const [left, right] = [await files.stat(at_(a)), await files.stat(at_(b))];
    return left !== undefined && (right === undefined || (left.mtime ?? 0) > (right.mtime ?? 0));
  };
  const binary: Readonly<Record<string, (a: string, b: string) => boolean | Promise<boolean>>> = {
    '=': (a, b) => same(a, b),
    '==': (a, b) => same(a, b),
    '!=': async (a, b) => !(await same(a, b)),
    '-nt': newer,
    '-ot': (a, b) => newer(b, a),
    '-ef': async (a, b) => (await files.stat(at_(a)))?.inode === (await files.stat(at_(b)))?.inode,
    '<': (a, b) => a < b,
    '>': (a, b) => a > b,
    '-eq': (a, b) => number(a) === number(b),
    '-ne': (a, b) => number(a) !== number(b),
    '-lt': (a, b) => number(a) < number(b),
    '-le': (a, b) => number(a) <= number(b),
    '-gt': (a, b) => number(a) > number(b),
    '-ge': (a, b) => number(a) >= number(b),
  };
  const isDouble = process.args[0] === '[[';
  // In [[ ]] the right side is a pattern.
  const same = async (a: string, b: string): Promise<boolean> =>
    isDouble ? paced(fitting([{ text: b, quoted: false }], a), process.turn) : a === b;
  let depth = 0;
  const primary = async (): Promise<boolean> => {
    if (++depth > MAX_DEPTH) throw new Error('expression nested too deeply');
    const value = await primaryHere();
    depth--;
    return value;
  };
  const primaryHere = async (): Promise<boolean> => {
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
