import { FileError, resolvePath } from '../file-system.js';
import type { Program } from '../process.js';
import { parseCount } from './counts.js';
import { forEachPath, usage } from './each-path.js';
import { parseOptions } from './options.js';

/** truncate [-c] -s [+|-]SIZE FILE... */
export const truncate: Program = async process => {
  const { operands, has, get } = parseOptions(process.args.slice(1), {
    short: 'cs:',
    long: { size: 's:', 'no-create': 'c' },
  });
  const given = get('s');
  if (given === undefined || operands.length === 0) return usage(process, 'truncate [-c] -s SIZE FILE...');
  const { files } = process.container;
  const sign = /^[-+]/.exec(given)?.[0];
  const size = parseCount(given.replace(/^[-+]/, ''));
  return forEachPath(process, operands, 'open', async path => {
    const stat = await files.stat(path);
    if (stat === undefined && has('c')) return;
    const old = stat?.size ?? 0;
    const wanted = sign === undefined ? size : sign === '+' ? old + size : Math.max(0, old - size);
    await files.truncate(path, wanted);
  });
};

/** fallocate [-o OFFSET] -l LENGTH FILE */
export const fallocate: Program = async process => {
  const { operands, get } = parseOptions(process.args.slice(1), { short: 'o:l:' });
  const path = resolvePath(process.cwd, operands[0] ?? '');
  const wanted = parseCount(get('o') ?? '0') + parseCount(get('l') ?? '0');
  try {
    if (((await process.container.files.stat(path))?.size ?? 0) < wanted)
      await process.container.files.truncate(path, wanted);
    return 0;
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    await process.stderr.write(`fallocate: fallocate '${operands[0] ?? ''}': ${error.message}\n`);
    return 1;
  }
};

/** shred [-fuz] [-n PASSES] FILE...: one pass of zeros is all that memory needs. */
export const shred: Program = async process => {
  const { operands, has } = parseOptions(process.args.slice(1), { short: 'fuzn:' });
  const { files } = process.container;
  return forEachPath(process, operands, 'open', async path => {
    const stat = await files.stat(path);
    if (stat === undefined) throw new FileError('ENOENT');
    await files.truncate(path, 0);
    await files.truncate(path, stat.size);
    if (has('u')) files.remove(path);
  });
};
