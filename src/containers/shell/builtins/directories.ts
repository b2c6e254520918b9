import { resolvePath } from '../../file-system.js';
import { complain } from './complain.js';
import type { Builtin, Builtins } from './types.js';

const cd: Builtin = async (shell, args, streams) => {
  const [target = shell.variables.get('HOME') ?? '/'] = args;
  const path = target === '-' ? (shell.variables.get('OLDPWD') ?? shell.cwd) : resolvePath(shell.cwd, target);
  const kind = shell.process.container.files.kind(path);
  if (kind !== 'directory')
    return complain(
      shell,
      streams,
      `cd: can't cd to ${target}: ${kind === undefined ? 'No such file or directory' : 'Not a directory'}`,
    );
  shell.variables.set('OLDPWD', shell.cwd);
  shell.variables.set('PWD', path);
  shell.cwd = path;
  return 0;
};

const pwd: Builtin = async (shell, _args, { stdout }) => (await stdout.write(`${shell.cwd}\n`), 0);

export const directoryBuiltins: Builtins = { cd, pwd };
