import { resolvePath } from '../file-system.js';
import type { Program } from '../process.js';
import { forEachPath, usage } from './each-path.js';
import { changeMode } from './modes.js';
import { parseOptions } from './options.js';

/** mkdir [-pv] [-m MODE] DIRECTORY... */
export const mkdir: Program = async process => {
  const { operands, has, get } = parseOptions(process.args.slice(1), {
    short: 'pvm:',
    long: { parents: 'p', mode: 'm:', verbose: 'v' },
  });
  if (operands.length === 0) return usage(process, 'mkdir [-m MODE] [-p] DIRECTORY...');
  const { files } = process.container;
  const mode = get('m');
  return forEachPath(process, operands, 'create directory', async (path, given) => {
    const there = files.kind(resolvePath(process.cwd, path)) !== undefined;
    files.makeDirectory(path, { parents: has('p') });
    if (mode !== undefined && !there) files.chmod(path, changeMode(mode, 0o777));
    if (has('v') && !there) await process.stdout.write(`created directory: '${given}'\n`);
  });
};

/** rmdir [-p] DIRECTORY... */
export const rmdir: Program = async process => {
  const { operands, has } = parseOptions(process.args.slice(1), {
    short: 'p',
    long: { parents: 'p', 'ignore-fail-on-non-empty': 'i' },
  });
  const { files } = process.container;
  return forEachPath(process, operands, '', (path, given) => {
    files.list(path);
    files.remove(path);
    if (!has('p')) return;
    for (
      let parts = given
        .split('/')
        .filter(part => part !== '')
        .slice(0, -1);
      parts.length > 0;
      parts = parts.slice(0, -1)
    )
      files.remove(resolvePath(process.cwd, (given.startsWith('/') ? '/' : '') + parts.join('/')));
  });
};
