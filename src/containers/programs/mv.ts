import { FileError, resolvePath } from '../file-system.js';
import type { Program } from '../process.js';
import { targetPath } from './cp.js';
import { forEachPath, usage } from './each-path.js';
import { parseOptions } from './options.js';

/** mv [-finvT] SOURCE... TARGET */
export const mv: Program = async process => {
  const options = parseOptions(process.args.slice(1), {
    short: 'finvTt:',
    long: { force: 'f', verbose: 'v', 'no-clobber': 'n' },
  });
  const operands = [...options.operands];
  const to = options.get('t') ?? operands.pop();
  if (to === undefined || operands.length === 0) return usage(process, 'mv [-fin] SOURCE DEST');
  const { files } = process.container;
  if (operands.length > 1 && files.kind(resolvePath(process.cwd, to)) !== 'directory') {
    await process.stderr.write(`mv: target '${to}': Not a directory\n`);
    return 1;
  }
  return forEachPath(process, operands, 'rename', async (path, given) => {
    const into = options.has('T') ? resolvePath(process.cwd, to) : targetPath(process, to, given);
    if (options.has('n') && files.kind(into) !== undefined) return;
    if (files.kind(path) === undefined && !files.isLink(path)) throw new FileError('ENOENT');
    await files.rename(path, into);
    const shown =
      into === resolvePath(process.cwd, to) ? to : `${to.replace(/\/$/, '')}/${into.slice(into.lastIndexOf('/') + 1)}`;
    if (options.has('v')) await process.stdout.write(`'${given}' -> '${shown}'\n`);
  });
};
