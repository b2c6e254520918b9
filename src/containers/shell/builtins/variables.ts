import { evaluateArithmetic } from '../arithmetic.js';
import type { Shell } from '../state.js';
import { assignVariable } from '../assign.js';
import { quote } from '../quote.js';
import { complain } from './complain.js';
import { getopts } from './getopts.js';
import { read } from './read.js';
import type { Builtin, Builtins } from './types.js';

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

const assign = (shell: Shell, args: readonly string[], each: (name: string) => void): string | undefined => {
  for (const arg of args) {
    const equals = arg.indexOf('=');
    const name = equals < 0 ? arg : arg.slice(0, equals);
    if (!NAME.test(name)) return name;
    each(name);
    if (equals >= 0) assignVariable(shell, name, arg.slice(equals + 1));
  }
  return undefined;
};

const exportNames: Builtin = async (shell, args, streams) => {
  const names = args.filter(arg => arg !== '-p');
  if (names.length === 0)
    for (const name of [...shell.exported].sort())
      await streams.stdout.write(`export ${name}=${quote(shell.variables.get(name) ?? '')}\n`);
  const bad = assign(shell, names, name => shell.exported.add(name));
  return bad === undefined ? 0 : complain(shell, streams, `export: ${bad}: bad variable name`);
};

const local: Builtin = async (shell, args, streams) => {
  if (shell.locals === undefined) return complain(shell, streams, 'local: not in a function');
  const { locals } = shell;
  const bad = assign(shell, args, name => {
    if (!locals.has(name)) locals.set(name, shell.variables.get(name));
    if (!shell.variables.has(name)) shell.variables.set(name, '');
  });
  return bad === undefined ? 0 : complain(shell, streams, `local: ${bad}: bad variable name`);
};

const readonlyNames: Builtin = async (shell, args, streams) => {
  const names = args.filter(arg => arg !== '-p');
  const bad = assign(shell, names, () => undefined);
  if (bad !== undefined) return complain(shell, streams, `readonly: ${bad}: bad variable name`);
  for (const name of names) shell.readonly.add(name.split('=')[0] ?? '');
  return 0;
};

const unset: Builtin = async (shell, args, streams) => {
  for (const name of args.filter(arg => !arg.startsWith('-'))) {
    if (shell.readonly.has(name)) return complain(shell, streams, `unset: ${name}: is read only`, 2);
    shell.variables.delete(name);
    shell.exported.delete(name);
    if (args[0] === '-f') shell.functions.delete(name);
  }
  return 0;
};

const letExpressions: Builtin = async (shell, args) => {
  let value = 0n;
  const variables = {
    get: (name: string) => shell.variables.get(name),
    set: (name: string, text: string) => assignVariable(shell, name, text),
  };
  for (const text of args) value = evaluateArithmetic(text, variables);
  return value === 0n ? 1 : 0;
};

export const variableBuiltins: Builtins = {
  export: exportNames,
  local,
  readonly: readonlyNames,
  unset,
  let: letExpressions,
  read,
  getopts,
};
