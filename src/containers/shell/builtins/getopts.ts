import { assignVariable } from '../assign.js';
import type { Builtin } from './types.js';

/** POSIX getopts, with OPTIND and OPTARG. */
export const getopts: Builtin = async (shell, args, streams) => {
  const [spec = '', name = 'opt', ...given] = args;
  const words = given.length > 0 ? given : shell.positional;
  const silent = spec.startsWith(':');
  let index = Math.max(1, Number(shell.variables.get('OPTIND') ?? '1'));
  // Where in a word of several letters it stands is kept behind the index, out of sight of scripts.
  let letter = Number(shell.variables.get(' OPTPOS') ?? '1');
  const word = words[index - 1];
  const finish = (value: string, argument: string | undefined): void => {
    assignVariable(shell, name, value);
    if (argument === undefined) shell.variables.delete('OPTARG');
    else shell.variables.set('OPTARG', argument);
    shell.variables.set('OPTIND', String(index));
    shell.variables.set(' OPTPOS', String(letter));
  };
  if (word === undefined || !word.startsWith('-') || word === '-' || word === '--') {
    if (word === '--') index++;
    letter = 1;
    finish('?', undefined);
    return 1;
  }
  const option = word[letter] ?? '';
  const at = option === ':' ? -1 : spec.indexOf(option);
  const isLast = letter >= word.length - 1;
  const next = (): void => {
    if (isLast) {
      index++;
      letter = 1;
    } else letter++;
  };
  if (at < 0) {
    next();
    finish('?', silent ? option : undefined);
    if (!silent) await streams.stderr.write(`${shell.name}: illegal option -${option}\n`);
    return 0;
  }
  if (spec[at + 1] !== ':') {
    next();
    finish(option, undefined);
    return 0;
  }
  const argument = isLast ? words[index] : word.slice(letter + 1);
  index += isLast ? 2 : 1;
  letter = 1;
  if (argument !== undefined) finish(option, argument);
  else {
    finish(silent ? ':' : '?', silent ? option : undefined);
    if (!silent) await streams.stderr.write(`${shell.name}: no arg for -${option} option\n`);
  }
  return 0;
};
