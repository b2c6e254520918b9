import { FileError } from '../file-system.js';
import type { Program } from '../process.js';
import { forEachPath, usage } from './each-path.js';
import { parseOptions } from './options.js';

/** rm [-firRv] FILE... */
export const rm: Program = async process => {
  const { operands, has } = parseOptions(process.args.slice(1), {
    short: 'rRfiv',
    long: { recursive: 'r', force: 'f' },
  });
  if (operands.length === 0) return has('f') ? 0 : usage(process, 'rm [-irf] FILE...');
  const { files } = process.container;
  return forEachPath(process, operands, 'remove', async (path, given) => {
    if (/(^|\/)\.\.?\/*$/.test(given)) throw new FileError('EINVAL');
    const kind = files.isLink(path) ? 'file' : files.kind(path);
    if (kind === undefined && has('f')) return;
    if (kind === 'directory' && !has('r') && !has('R')) throw new FileError('EISDIR');
    files.remove(path, { recursive: true });
    if (has('v')) await process.stdout.write(`removed '${given}'\n`);
  });
};

/** unlink FILE */
export const unlink: Program = async process =>
  forEachPath(process, process.args.slice(1, 2), 'remove', path => {
    const { files } = process.container;
    if (files.kind(path) === 'directory' && !files.isLink(path)) throw new FileError('EISDIR');
    files.remove(path);
  });
