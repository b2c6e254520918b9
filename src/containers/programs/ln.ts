import { FileError, resolvePath } from '../file-system.js';
import type { Program } from '../process.js';
import { baseName, joinPath } from '../paths.js';
import { usage } from './each-path.js';
import { parseOptions } from './options.js';

/** ln [-sfnvT] TARGET... LINK|DIRECTORY */
export const ln: Program = async process => {
  const { operands, has } = parseOptions(process.args.slice(1), {
    short: 'sfnbvTS:',
    long: { symbolic: 's', force: 'f', 'no-dereference': 'n', verbose: 'v' },
  });
  if (operands.length === 0) return usage(process, 'ln [-sfnbtv] [-S SUF] TARGET... LINK|DIR');
  const { files } = process.container;
  const targets = operands.length === 1 ? operands : operands.slice(0, -1);
  const last = operands.length === 1 ? '.' : (operands.at(-1) ?? '.');
  let status = 0;
  for (const target of targets) {
    const place = resolvePath(process.cwd, last);
    const into = files.kind(place) === 'directory' && !has('T') && !(has('n') && files.isLink(place));
    const path = into ? joinPath(place, baseName(target)) : place;
    const shown = into ? `${last.replace(/\/$/, '')}/${baseName(target)}` : last;
    try {
      if (has('f') && (files.isLink(path) || files.kind(path) === 'file')) files.remove(path);
      if (has('s')) files.symlink(target, path);
      else files.link(resolvePath(process.cwd, target), path);
      if (has('v')) await process.stdout.write(`'${shown}' -> '${target}'\n`);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      await process.stderr.write(`ln: ${shown}: ${error.message}\n`);
      status = 1;
    }
  }
  return status;
};

/** link FILE LINK */
export const link: Program = async process => {
  const [, from = '', to = ''] = process.args;
  try {
    process.container.files.link(resolvePath(process.cwd, from), resolvePath(process.cwd, to));
    return 0;
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    await process.stderr.write(`link: can't create link '${to}' to '${from}': ${error.message}\n`);
    return 1;
  }
};

/** readlink [-fnsqv] FILE */
export const readlink: Program = async process => {
  const { operands, has } = parseOptions(process.args.slice(1), { short: 'fnsqvem', long: { canonicalize: 'f' } });
  const { files } = process.container;
  let status = 0;
  for (const name of operands)
    try {
      const path = resolvePath(process.cwd, name);
      const text = has('f') || has('e') || has('m') ? files.realPath(path) : files.readLink(path);
      await process.stdout.write(`${text}${has('n') ? '' : '\n'}`);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      if (has('v')) await process.stderr.write(`readlink: ${name}: ${error.message}\n`);
      status = 1;
    }
  return status;
};

/** realpath FILE... */
export const realpath: Program = async process => {
  let status = 0;
  for (const name of process.args.slice(1))
    try {
      await process.stdout.write(`${process.container.files.realPath(resolvePath(process.cwd, name))}\n`);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      await process.stderr.write(`realpath: ${name}: ${error.message}\n`);
      status = 1;
    }
  return status;
};
