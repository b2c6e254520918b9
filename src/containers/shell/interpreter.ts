import { createPipe, emptyInput } from '../io.js';
import { Killed, type Program } from '../process.js';
import type { Child } from '../spawn.js';
import type { AndOr, Command, Compound, Pipeline, Script, SimpleCommand } from './ast.js';
import { builtins } from './builtins/index.js';
import { expandFragments, expandText, expandWord, type ExpansionContext } from './expand.js';
import { seekableInput } from './line-input.js';
import { parameter } from './parameter.js';
import { ShellSyntaxError } from './lexer.js';
import { parseLines } from './parser.js';
import { paced } from '../paced.js';
import { fitting } from './pattern.js';
import { redirect } from './redirect.js';
import { forkShell, FunctionReturn, LoopControl, ShellExit, type Shell, type Streams } from './state.js';
import { assignVariable } from './assign.js';
import { heldOutput } from './held-output.js';
import { checkpoint, descriptorsOf, fork, runProgram, streamsOf, throwIfEnded } from './processes.js';
import { quoteForTrace } from './quote.js';
import type { Interpreter } from './builtins/types.js';

/** Where a failing command does not end a shell under `set -e`: conditions, all but the last of a list. */
interface Tested {
  readonly tested: boolean;
  /** The shell has nothing more to do: a program may take its process's place instead of a new one. */
  readonly last?: boolean;
}

/** Of functions and compound commands in each other: the stack of a real shell overflows somewhere near. */
const MAX_DEPTH = 1000;
/** What a level of them takes of the memory. */
const LEVEL_BYTES = 8 * 1024;

export async function runScript(shell: Shell, script: Script, streams: Streams, mode?: Tested): Promise<number> {
  const { tested, last = false } = mode ?? { tested: false };
  for (const [i, { node, background }] of script.entries()) {
    if (background) startBackground(shell, node, streams);
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

function startBackground(shell: Shell, node: AndOr, streams: Streams): void {
  const program: Program = async process => {
    const child = forkShell(shell, process);
    return catchExit(() => runAndOr(child, node, streamsOf(process, streams), { tested: false, last: true }));
  };
  const { process } = shell;
  const child = fork(shell, {
    program,
    ...streams,
    stdin: emptyInput,
    ...descriptorsOf(streams),
    // A background job outlives the command that started it, and its shell, not the container.
    parent: process.container.life ?? process.signal,
  });
  shell.jobs.set(child.pid, child);
  // One that has ended is kept for `wait`, but not for ever.
  if (shell.jobs.size > MAX_JOBS)
    for (const pid of [...shell.jobs.keys()].slice(0, MAX_JOBS / 2)) shell.jobs.delete(pid);
  shell.lastBackground = child.pid;
  shell.status = 0;
}

const MAX_JOBS = 4096;

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
  else status = await runPiped(shell, commands, streams);
  if (negated) status = status === 0 ? 1 : 0;
  shell.status = status;
  if (status !== 0 && !mode.tested && shell.options.errexit) throw new ShellExit(status);
  return status;
}

async function runPiped(shell: Shell, commands: readonly Command[], streams: Streams): Promise<number> {
  let stdin = streams.stdin;
  let upstream: ReturnType<typeof createPipe> | undefined;
  const children: Child[] = [];
  const running: Promise<number>[] = [];
  try {
    for (const [i, command] of commands.entries()) {
      const reads = upstream;
      const writes = i === commands.length - 1 ? undefined : createPipe();
      const child = fork(shell, {
        program: process =>
          catchExit(() =>
            runCommand(forkShell(shell, process), command, streamsOf(process, streams), { tested: true, last: true }),
          ),
        stdin: seekableInput(stdin),
        stdout: writes ?? streams.stdout,
        stderr: streams.stderr,
        ...descriptorsOf(streams),
        tty: shell.process.tty,
        terminal: shell.process.terminal,
        parent: shell.process.signal,
      });
      if (writes !== undefined) stdin = writes;
      upstream = writes;
      children.push(child);
      shell.foreground.add(child);
      if (shell.interrupted?.aborted === true) child.kill('INT');
      const done = child.exited.finally(() => {
        shell.foreground.delete(child);
        writes?.closeWrite();
        reads?.closeRead();
      });
      running.push(done);
    }
  } catch (error) {
    upstream?.closeRead();
    for (const child of children) child.kill('TERM');
    throw error;
  }
  const statuses = await Promise.all(running);
  throwIfEnded(shell);
  const failed = statuses.findLast(s => s !== 0) ?? 0;
  return shell.options.pipefail ? failed : (statuses.at(-1) ?? 0);
}

/** The status of a subshell's body, `exit` included. */
export async function catchExit(work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ShellExit) return error.status;
    if (error instanceof LoopControl) return 0;
    if (error instanceof FunctionReturn) return error.status;
    throw error;
  }
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

/** One level down. A stack that overflows is a segmentation fault, as in the shells themselves. */
async function deeper<T>(shell: Shell, work: () => Promise<T>): Promise<T> {
  if (shell.depth >= MAX_DEPTH) throw new Killed('SEGV');
  const { memory } = shell.process;
  memory.add(LEVEL_BYTES);
  shell.depth++;
  try {
    return await work();
  } finally {
    shell.depth--;
    memory.remove(LEVEL_BYTES);
  }
}

/** Runs what follows in a copy of the shell that is given back afterwards. */
async function inSubshell(shell: Shell, work: (copy: Shell) => Promise<number>): Promise<number> {
  const copy = forkShell(shell);
  try {
    return await catchExit(() => work(copy));
  } catch (error) {
    // A stack that overflows in a subshell is that process's end, not its parent's, though both are one process here.
    if (error instanceof Killed && error.by === 'SEGV' && !shell.process.signal.aborted) return error.exitCode;
    throw error;
  } finally {
    copy.variables.release();
  }
}

async function runCompound(shell: Shell, body: Compound, streams: Streams, mode: Tested): Promise<number> {
  switch (body.kind) {
    case 'group':
      return runScript(shell, body.body, streams, mode);
    case 'subshell':
      return inSubshell(shell, async copy => {
        const status = await runScript(copy, body.body, { ...streams }, { tested: mode.tested });
        return runExitTrap(copy, streams, status);
      });
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

async function runLoop(shell: Shell, turn: () => Promise<boolean>): Promise<void> {
  shell.loops++;
  try {
    for (;;) {
      await checkpoint(shell);
      try {
        if (!(await turn())) return;
      } catch (error) {
        if (!(error instanceof LoopControl)) throw error;
        if (--error.depth > 0 && shell.loops > 1) throw error;
        if (error.kind === 'break') return;
      }
    }
  } finally {
    shell.loops--;
  }
}

async function expandWords(shell: Shell, words: SimpleCommand['words'], streams: Streams): Promise<string[]> {
  const context = expansion(shell, streams);
  const fields: string[] = [];
  for (const word of words) for (const field of await expandWord(word, context)) fields.push(field);
  return fields;
}

function expansion(shell: Shell, streams: Streams): ExpansionContext {
  const { process } = shell;
  return {
    get: name => parameter(shell, name),
    set: (name, value) => assignVariable(shell, name, value),
    positional: shell.positional,
    nounset: shell.options.nounset,
    cwd: shell.cwd,
    files: process.container.files,
    turn: work => process.turn(work),
    hold(bytes) {
      process.memory.add(bytes);
      process.memory.remove(bytes);
    },
    async capture(script) {
      const output = heldOutput(process);
      try {
        shell.status = await deeper(shell, () =>
          inSubshell(shell, async copy => {
            const status = await runScript(copy, script, { ...streams, stdout: output }, { tested: true });
            return runExitTrap(copy, { ...streams, stdout: output }, status);
          }),
        );
        return output.text();
      } finally {
        output.release();
      }
    },
  };
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
  const before = new Map<string, string | undefined>();
  for (const [variable, value] of assigned) {
    before.set(variable, shell.variables.get(variable));
    assignVariable(shell, variable, value);
  }
  try {
    if (body !== undefined) return await deeper(shell, () => callFunction(shell, body, args, streams, mode));
    return (await builtin?.(shell, args.slice(1), streams, INTERPRETER)) ?? 0;
  } finally {
    // Assignments before a special builtin stay (POSIX XCU 2.14).
    if (!special) restore(shell, before);
  }
}

function restore(shell: Shell, values: ReadonlyMap<string, string | undefined>): void {
  for (const [name, value] of values)
    if (value === undefined) shell.variables.delete(name);
    else shell.variables.set(name, value);
}

/** POSIX XCU 2.14: they come before functions of the same name. */
const SPECIAL: ReadonlySet<string> = new Set(
  '. break continue eval exec exit export readonly return set shift trap unset'.split(' '),
);

async function callFunction(
  shell: Shell,
  body: Command,
  args: readonly string[],
  streams: Streams,
  { tested }: Tested,
): Promise<number> {
  const { positional, locals, loops } = shell;
  shell.positional = args.slice(1);
  shell.locals = new Map();
  shell.loops = 0;
  try {
    return await runCommand(shell, body, streams, { tested });
  } catch (error) {
    if (error instanceof FunctionReturn) return error.status;
    throw error;
  } finally {
    restore(shell, shell.locals);
    shell.positional = positional;
    shell.locals = locals;
    shell.loops = loops;
  }
}

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
