import type { AndOr, Command, Compound, Pipeline, Script, SimpleCommand } from './ast.js';
import { builtins } from './builtins/index.js';
import { expandFragments, expandText, expandWord, type ExpansionContext } from './expand.js';
import { expansionContext } from './expansion-context.js';
import { startBackground } from './background.js';
import { catchExit, deeper, inSubshell, runLoop } from './levels.js';
import { runPiped } from './piped.js';
import { ShellSyntaxError } from './syntax-error.js';
import { parseLines } from './parser.js';
import { paced } from '../paced.js';
import { fitting } from './pattern.js';
import { redirect } from './redirect.js';
import { ShellExit, type Shell, type Streams } from './state.js';
import { inFunction, withAssignments } from './scopes.js';
import { assignVariable } from './assign.js';
import { checkpoint, runProgram, throwIfEnded } from './processes.js';
import { quoteForTrace } from './quote.js';
import type { Interpreter } from './builtins/types.js';

/** Where a failing command does not end a shell under `set -e`: conditions, all but the last of a list. */
interface Tested {
  readonly tested: boolean;
  /** The shell has nothing more to do: a program may take its process's place instead of a new one. */
  readonly last?: boolean;
}

export async function runScript(shell: Shell, script: Script, streams: Streams, mode?: Tested): Promise<number> {
  const { tested, last = false } = mode ?? { tested: false };
  for (const [i, { node, background }] of script.entries()) {
    if (background)
      startBackground(shell, streams, (child, own) => runAndOr(child, node, own, { tested: false, last: true }));
    else shell.status = await runAndOr(shell, node, streams, { tested, last: last && i === script.length - 1 });
  }
  return shell.status;
}

/** Parses and runs text in this shell: `eval`, `.`, trap actions. */
export async function runText(shell: Shell, text: string, streams: Streams): Promise<number> {
  if (text.length > MAX_SCRIPT) throw new ShellSyntaxError('script too long');
  return deeper(shell, async () => {
    for (const { script } of parseLines(text)) {
      await checkpoint(shell);
      await runScript(shell, script, streams);
    }
    return shell.status;
  });
}

/** Longer ones are no scripts. */
export const MAX_SCRIPT = 4 * 1024 * 1024;

const INTERPRETER: Interpreter = { runText, isBuiltin: name => builtins.has(name) };

/** Runs the actions of signals caught meanwhile. */
export async function runTraps(shell: Shell, streams: Streams): Promise<void> {
  for (let name = shell.caught.shift(); name !== undefined; name = shell.caught.shift()) {
    const before = shell.status;
    await runText(shell, shell.traps.get(name) ?? '', streams);
    shell.status = before;
  }
}

async function runAndOr(shell: Shell, { first, rest }: AndOr, streams: Streams, mode: Tested): Promise<number> {
  const { tested, last = false } = mode;
  let status = await runPipeline(shell, first, streams, {
    tested: tested || rest.length > 0,
    last: last && rest.length === 0,
  });
  for (const [i, { op, pipeline }] of rest.entries()) {
    if ((op === '&&') !== (status === 0)) continue;
    const isLast = i === rest.length - 1;
    status = await runPipeline(shell, pipeline, streams, { tested: tested || !isLast, last: last && isLast });
  }
  return status;
}

async function runPipeline(shell: Shell, pipeline: Pipeline, streams: Streams, given: Tested): Promise<number> {
  const { negated, commands } = pipeline;
  const [only] = commands;
  const mode = { tested: given.tested || negated, last: given.last === true && !negated };
  let status: number;
  if (commands.length === 1 && only !== undefined) status = await runCommand(shell, only, streams, mode);
  else
    status = await runPiped(shell, commands, streams, (child, command, own) =>
      runCommand(child, command, own, { tested: true, last: true }),
    );
  if (negated) status = status === 0 ? 1 : 0;
  shell.status = status;
  if (status !== 0 && !mode.tested && shell.options.errexit) throw new ShellExit(status);
  return status;
}

async function runCommand(shell: Shell, command: Command, streams: Streams, mode: Tested): Promise<number> {
  switch (command.kind) {
    case 'simple':
      return runSimple(shell, command, streams, mode);
    case 'function':
      shell.functions.set(command.name, command.body);
      return 0;
    case 'compound': {
      const redirected = await redirect(shell, command.redirections, streams, expansion(shell, streams));
      if (redirected === undefined) return 1;
      // A group of its own open files: `exec` in it changes no others.
      const own = redirected === streams ? streams : { ...redirected };
      return deeper(shell, () =>
        runCompound(shell, command.body, own, { ...mode, last: mode.last === true && own === streams }),
      );
    }
  }
}

async function runCompound(shell: Shell, body: Compound, streams: Streams, mode: Tested): Promise<number> {
  switch (body.kind) {
    case 'group':
      return runScript(shell, body.body, streams, mode);
    case 'subshell':
      return inSubshell(shell, copy => runSubshell(copy, body.body, streams, mode.tested));
    case 'if':
      for (const { condition, body: then } of body.branches)
        if ((await runScript(shell, condition, streams, { tested: true })) === 0)
          return runScript(shell, then, streams, mode);
      if (body.otherwise === undefined) return 0;
      return runScript(shell, body.otherwise, streams, mode);
    case 'loop': {
      let status = 0;
      await runLoop(shell, async () => {
        const condition = await runScript(shell, body.condition, streams, { tested: true });
        if ((condition === 0) === body.until) return false;
        status = await runScript(shell, body.body, streams, mode);
        return true;
      });
      return status;
    }
    case 'for': {
      const values = body.words === undefined ? [...shell.positional] : await expandWords(shell, body.words, streams);
      let status = 0;
      let next = 0;
      await runLoop(shell, async () => {
        const value = values[next++];
        if (value === undefined) return false;
        shell.variables.set(body.name, value);
        status = await runScript(shell, body.body, streams, mode);
        return true;
      });
      return status;
    }
    case 'case': {
      const context = expansion(shell, streams);
      const subject = await expandText(body.subject, context);
      for (const { patterns, body: arm } of body.arms)
        for (const pattern of patterns)
          if (await paced(fitting(await expandFragments(pattern, context), subject), shell.process.turn)) {
            shell.status = 0;
            return runScript(shell, arm, streams, mode);
          }
      return 0;
    }
  }
}

async function expandWords(shell: Shell, words: SimpleCommand['words'], streams: Streams): Promise<string[]> {
  const context = expansion(shell, streams);
  const fields: string[] = [];
  for (const word of words) for (const field of await expandWord(word, context)) fields.push(field);
  return fields;
}

const expansion = (shell: Shell, streams: Streams): ExpansionContext =>
  expansionContext(shell, streams, (copy, script, own) => runSubshell(copy, script, own, true));

/** The body of a subshell, with open files of its own, and what is to be done at its end. */
async function runSubshell(copy: Shell, script: Script, streams: Streams, tested: boolean): Promise<number> {
  const status = await runScript(copy, script, { ...streams }, { tested });
  return runExitTrap(copy, streams, status);
}

async function runSimple(shell: Shell, command: SimpleCommand, streams: Streams, mode: Tested): Promise<number> {
  await checkpoint(shell);
  await runTraps(shell, streams);
  const context = expansion(shell, streams);
  const args = await expandWords(shell, command.words, streams);
  const substituted = shell.status;
  const assigned = new Map<string, string>();
  for (const { name, value } of command.assignments) {
    const text = await expandText(value, context);
    assigned.set(name, text);
    // Later assignments of a line see the earlier ones.
    if (args.length === 0) assignVariable(shell, name, text);
  }
  if (shell.options.xtrace) {
    const shown = [...[...assigned].map(([name, value]) => `${name}=${value}`), ...args].map(quoteForTrace);
    await streams.stderr.write(`+ ${shown.join(' ')}\n`);
  }
  const redirected = await redirect(shell, command.redirections, streams, expansion(shell, streams));
  if (redirected === undefined) return 1;
  const [name] = args;
  if (name === undefined) {
    // The status of `x=$(command)` is the command's.
    return command.assignments.length > 0 ? shell.status : command.words.length > 0 ? substituted : 0;
  }
  if (name === 'exec' && args.length === 1) {
    // From here on these are the shell's own files.
    Object.assign(streams, redirected);
    return 0;
  }
  const status = await runNamed(shell, name, args, assigned, redirected, mode);
  throwIfEnded(shell);
  return status;
}

async function runNamed(
  shell: Shell,
  name: string,
  args: readonly string[],
  assigned: ReadonlyMap<string, string>,
  streams: Streams,
  mode: Tested,
): Promise<number> {
  const special = SPECIAL.has(name);
  const body = special ? undefined : shell.functions.get(name);
  const builtin = body === undefined ? builtins.get(name) : undefined;
  if (body === undefined && builtin === undefined) return runProgram(shell, args, assigned, streams, mode.last);
  // Assignments before a special builtin stay (POSIX XCU 2.14).
  return withAssignments(shell, assigned, special, async () => {
    if (body === undefined) return (await builtin?.(shell, args.slice(1), streams, INTERPRETER)) ?? 0;
    const call = (): Promise<number> => runCommand(shell, body, streams, { tested: mode.tested });
    return deeper(shell, () => inFunction(shell, args.slice(1), call));
  });
}

/** POSIX XCU 2.14: they come before functions of the same name. */
const SPECIAL: ReadonlySet<string> = new Set(
  '. break continue eval exec exit export readonly return set shift trap unset'.split(' '),
);

/** Runs the action of `trap ... EXIT` when a shell ends by itself. */
export async function runExitTrap(shell: Shell, streams: Streams, status: number): Promise<number> {
  const action = shell.traps.get('EXIT');
  if (action === undefined) return status;
  shell.traps.delete('EXIT');
  shell.status = status;
  return catchExit(async () => {
    await runText(shell, action, streams);
    return status;
  });
}
