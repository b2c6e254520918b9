import type { ShellOptions } from '../state.js';
import { quote } from '../quote.js';
import { complain } from './complain.js';
import type { Builtin, Builtins } from './types.js';

const OPTIONS: Readonly<Record<string, keyof ShellOptions>> = { e: 'errexit', u: 'nounset', x: 'xtrace' };

const set: Builtin = async (shell, args, streams) => {
  if (args.length === 0) {
    for (const [name, value] of [...shell.variables].sort()) await streams.stdout.write(`${name}=${quote(value)}\n`);
    return 0;
  }
  const rest = [...args];
  for (let arg = rest[0]; arg !== undefined && /^[-+]/.test(arg) && arg !== '-'; arg = rest[0]) {
    rest.shift();
    if (arg === '--') break;
    const on = arg.startsWith('-');
    for (const letter of arg.slice(1)) {
      const option = letter === 'o' ? (rest.shift() as keyof ShellOptions | undefined) : OPTIONS[letter];
      if (option === undefined || !(option in shell.options)) {
        // Options that change nothing here: a script that sets them runs all the same.
        if ('abfhmnCv'.includes(letter)) continue;
        return complain(shell, streams, `set: illegal option ${arg}`, 2);
      }
      shell.options[option] = on;
    }
  }
  if (rest.length > 0 || args.includes('--')) shell.positional = rest;
  return 0;
};

const shift: Builtin = async (shell, [count = '1']) => {
  if (Number(count) > shell.positional.length) return 1;
  shell.positional = shell.positional.slice(Number(count));
  return 0;
};

const umask: Builtin = async (shell, [mode], streams) => {
  if (mode === undefined) {
    await streams.stdout.write(`${shell.umask.toString(8).padStart(4, '0')}\n`);
    return 0;
  }
  if (!/^[0-7]{1,4}$/.test(mode)) return complain(shell, streams, `umask: invalid mode: ${mode}`);
  shell.umask = parseInt(mode, 8) & 0o777;
  return 0;
};

const ulimit: Builtin = async (_shell, args, { stdout }) => {
  if (args.every(arg => arg.startsWith('-'))) await stdout.write('unlimited\n');
  return 0;
};

export const settingBuiltins: Builtins = {
  set,
  shift,
  umask,
  ulimit,
  alias: async () => 0,
  unalias: async () => 0,
};
