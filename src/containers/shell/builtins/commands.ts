import { resolvePath } from '../../file-system.js';
import { environmentOf, FunctionReturn, ShellExit } from '../state.js';
import { runProgram } from '../processes.js';
import { complain } from './complain.js';
import type { Builtin, Builtins } from './types.js';

const command: Builtin = async (shell, args, streams, { isBuiltin }) => {
  if (args[0] !== '-v' && args[0] !== '-V') return args.length === 0 ? 0 : runProgram(shell, args, new Map(), streams);
  let status = 0;
  for (const name of args.slice(1)) {
    if (isBuiltin(name) || shell.functions.has(name)) await streams.stdout.write(`${name}\n`);
    else if ((await shell.process.container.program(name)) !== undefined) await streams.stdout.write(`/bin/${name}\n`);
    else status = 127;
  }
  return status;
};

const type: Builtin = async (shell, names, { stdout, stderr }, { isBuiltin }) => {
  let status = 0;
  for (const name of names)
    if (shell.functions.has(name)) await stdout.write(`${name} is a function\n`);
    else if (isBuiltin(name)) await stdout.write(`${name} is a shell builtin\n`);
    else if ((await shell.process.container.program(name)) !== undefined)
      await stdout.write(`${name} is /bin/${name}\n`);
    else {
      await stderr.write(`${name}: not found\n`);
      status = 127;
    }
  return status;
};

/** With arguments; without any the interpreter itself changes the shell's files. */
const exec: Builtin = async (shell, args, streams) => {
  shell.traps.clear();
  throw new ShellExit(await runProgram(shell, args, new Map(), streams, true));
};

const source: Builtin = async (shell, [file = '', ...args], streams, { runText }) => {
  const { files } = shell.process.container;
  const path = resolvePath(shell.cwd, file);
  if (files.kind(path) === undefined)
    return complain(shell, streams, `.: can't open '${file}': No such file or directory`, 2);
  const text = (await files.read(path)).toString('utf8');
  const { positional } = shell;
  if (args.length > 0) shell.positional = args;
  try {
    return await runText(shell, text, streams);
  } catch (error) {
    if (error instanceof FunctionReturn) return error.status;
    throw error;
  } finally {
    shell.positional = positional;
  }
};

const evaluate: Builtin = async (shell, args, streams, { runText }) => runText(shell, args.join(' '), streams);

/**
 * A program that shells have built in: it runs in the shell's own process, so that a broken pipe ends the shell and
 * not just one command of an endless loop.
 */
const inside =
  (name: string): Builtin =>
  async (shell, args, streams) => {
    const { process, cwd } = shell;
    const program = await process.container.program(name);
    if (program !== undefined)
      return program({ ...process, ...streams, args: [name, ...args], env: environmentOf(shell), cwd });
    return complain(shell, streams, `${name}: not found`, 127);
  };

/** Programs that are looked up among the image's, though the shell runs them. */
const INSIDE = ['echo', 'printf', 'test', '[', '[[', 'kill'];

export const commandBuiltins: Builtins = {
  command,
  type,
  exec,
  '.': source,
  source,
  eval: evaluate,
  hash: async () => 0,
  ...Object.fromEntries(INSIDE.map(name => [name, inside(name)])),
};
