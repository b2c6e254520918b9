import { resolvePath } from '../file-system.js';
import { captured, createPipe, emptyInput } from '../io.js';
import type { Program } from '../process.js';
import { spawn } from '../spawn.js';
import type { AndOr, Command, Compound, Pipeline, Script, SimpleCommand } from './ast.js';
import { builtins } from './builtins.js';
import { expandFragments, expandText, expandWord, type ExpansionContext } from './expand.js';
import { seekableInput } from './line-input.js';
import { parameter } from './parameter.js';
import { parseScript } from './parser.js';
import { matchesPattern } from './pattern.js';
import { redirect } from './redirect.js';
import { environmentOf, forkShell, FunctionReturn, LoopControl, ShellExit, type Shell, type Streams } from './state.js';

/** Commands between two turns of the event loop: a busy loop in a Pod must not stop the node. */
const COMMANDS_PER_TURN = 64;

/** Where a failing command does not end a shell under `set -e`: conditions, all but the last of a list. */
interface Tested {
  readonly tested: boolean;
}

export async function runScript(shell: Shell, script: Script, streams: Streams, mode?: Tested): Promise<number> {
  const { tested } = mode ?? { tested: false };
  for (const { node, background } of script) {
    if (background) startBackground(shell, node, streams);
    else shell.status = await runAndOr(shell, node, streams, tested);
  }
  return shell.status;
}

/** Parses and runs text in this shell: `eval`, `.`, trap actions. */
export async function runText(shell: Shell, text: string, streams: Streams): Promise<number> {
  return runScript(shell, parseScript(text), streams);
}

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
    return catchExit(() => runAndOr(child, node, { ...streams, stdin: emptyInput }, false));
  };
  const { process } = shell;
  const child = spawn(process.container, {
    args: ['sh'],
    program,
    env: environmentOf(shell),
    cwd: shell.cwd,
    ...streams,
    // A background job outlives the command that started it, not the container's process.
    parent: process.signal,
  });
  shell.jobs.set(child.pid, child);
  shell.lastBackground = child.pid;
  shell.status = 0;
}

async function runAndOr(shell: Shell, { first, rest }: AndOr, streams: Streams, tested: boolean): Promise<number> {
  let status = await runPipeline(shell, first, streams, tested || rest.length > 0);
  for (const [i, { op, pipeline }] of rest.entries()) {
    if ((op === '&&') !== (status === 0)) continue;
    status = await runPipeline(shell, pipeline, streams, tested || i < rest.length - 1);
  }
  return status;
}

async function runPipeline(shell: Shell, pipeline: Pipeline, streams: Streams, tested: boolean): Promise<number> {
  const { negated, commands } = pipeline;
  const [only] = commands;
  const mode = { tested: tested || negated };
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
  const running = commands.map((command, i) => {
    const reads = upstream;
    const writes = i === commands.length - 1 ? undefined : createPipe();
    const own = { stdin, stdout: writes ?? streams.stdout, stderr: streams.stderr };
    if (writes !== undefined) stdin = seekableInput(writes);
    upstream = writes;
    const child = spawn(shell.process.container, {
      args: ['sh'],
      program: process => catchExit(() => runCommand(forkShell(shell, process), command, own, { tested: true })),
      env: environmentOf(shell),
      cwd: shell.cwd,
      ...own,
      parent: shell.process.signal,
    });
    return child.exited.finally(() => {
      writes?.closeWrite();
      reads?.closeRead();
    });
  });
  const statuses = await Promise.all(running);
  shell.process.signal.throwIfAborted();
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
      return runSimple(shell, command, streams);
    case 'function':
      shell.functions.set(command.name, command.body);
      return 0;
    case 'compound': {
      const redirected = await redirect(shell, command.redirections, streams, expansion(shell, streams));
      if (redirected === undefined) return 1;
      const status = await runCompound(shell, command.body, redirected.streams, mode);
      await redirected.flush();
      return status;
    }
  }
}

async function runCompound(shell: Shell, body: Compound, streams: Streams, mode: Tested): Promise<number> {
  switch (body.kind) {
    case 'group':
      return runScript(shell, body.body, streams, mode);
    case 'subshell':
      return catchExit(() => runScript(forkShell(shell), body.body, streams, mode));
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
      const values =
        body.words === undefined
          ? [...shell.positional]
          : (await Promise.all(body.words.map(word => expandWord(word, expansion(shell, streams))))).flat();
      let status = 0;
      await runLoop(shell, async () => {
        const value = values.shift();
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
          if (matchesPattern(subject, await expandFragments(pattern, context))) {
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

/** Lets the node breathe, and ends a shell that was killed. */
async function checkpoint(shell: Shell): Promise<void> {
  shell.process.signal.throwIfAborted();
  if (++shell.sinceYield < COMMANDS_PER_TURN) return;
  shell.sinceYield = 0;
  await new Promise(resolve => setImmediate(resolve));
}

function expansion(shell: Shell, streams: Streams): ExpansionContext {
  return {
    get: name => parameter(shell, name),
    set: (name, value) => void shell.variables.set(name, value),
    positional: shell.positional,
    nounset: shell.options.nounset,
    cwd: shell.cwd,
    files: shell.process.container.files,
    async capture(script) {
      const output = captured();
      shell.status = await catchExit(() =>
        runScript(forkShell(shell), script, { ...streams, stdout: output }, { tested: true }),
      );
      return output.text();
    },
  };
}

async function runSimple(shell: Shell, command: SimpleCommand, streams: Streams): Promise<number> {
  await checkpoint(shell);
  await runTraps(shell, streams);
  const context = expansion(shell, streams);
  const args: string[] = [];
  for (const word of command.words) args.push(...(await expandWord(word, context)));
  const substituted = shell.status;
  const assigned = new Map<string, string>();
  for (const { name, value } of command.assignments) assigned.set(name, await expandText(value, context));
  if (shell.options.xtrace) {
    const shown = [...[...assigned].map(([name, value]) => `${name}=${value}`), ...args].map(quoteForTrace);
    await streams.stderr.write(`+ ${shown.join(' ')}\n`);
  }
  const redirected = await redirect(shell, command.redirections, streams, expansion(shell, streams));
  if (redirected === undefined) return 1;
  const [name] = args;
  if (name === undefined) {
    for (const [variable, value] of assigned) shell.variables.set(variable, value);
    await redirected.flush();
    // The status of `x=$(command)` is the command's.
    return command.assignments.length > 0 ? shell.status : command.words.length > 0 ? substituted : 0;
  }
  const status = await runNamed(shell, name, args, assigned, redirected.streams, command.redirections.length > 0);
  await redirected.flush();
  return status;
}

const quoteForTrace = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replace(/'/g, `'"'"'`)}'`;

async function runNamed(
  shell: Shell,
  name: string,
  args: readonly string[],
  assigned: ReadonlyMap<string, string>,
  streams: Streams,
  hasRedirections: boolean,
): Promise<number> {
  const body = shell.functions.get(name);
  if (body !== undefined) {
    for (const [variable, value] of assigned) shell.variables.set(variable, value);
    return callFunction(shell, body, args, streams);
  }
  const builtin = builtins.get(name);
  if (builtin !== undefined) {
    for (const [variable, value] of assigned) shell.variables.set(variable, value);
    return builtin(shell, args.slice(1), streams, hasRedirections);
  }
  return runProgram(shell, args, assigned, streams);
}

async function callFunction(shell: Shell, body: Command, args: readonly string[], streams: Streams): Promise<number> {
  const { positional } = shell;
  shell.positional = args.slice(1);
  try {
    return await runCommand(shell, body, streams, { tested: false });
  } catch (error) {
    if (error instanceof FunctionReturn) return error.status;
    throw error;
  } finally {
    shell.positional = positional;
  }
}

/** Starts a program and waits for it. 127: there is none of that name. */
export async function runProgram(
  shell: Shell,
  args: readonly string[],
  assigned: ReadonlyMap<string, string>,
  streams: Streams,
): Promise<number> {
  const [name = ''] = args;
  const { process } = shell;
  const program = await findProgram(shell, name);
  if (program === undefined) {
    await streams.stderr.write(`${shell.name}: ${name}: not found\n`);
    return 127;
  }
  const child = spawn(process.container, {
    args,
    program,
    env: environmentOf(shell, assigned),
    cwd: shell.cwd,
    ...streams,
    tty: process.tty,
    parent: process.signal,
  });
  shell.foreground.add(child);
  const status = await child.exited;
  shell.foreground.delete(child);
  process.signal.throwIfAborted();
  return status;
}

/** A program of the image, or a script file run by this shell. */
async function findProgram(shell: Shell, name: string): Promise<Program | undefined> {
  const { container } = shell.process;
  const path = resolvePath(shell.cwd, name);
  if (name.includes('/') && container.files.kind(path) === 'file') {
    const sh = await container.program('sh');
    return sh === undefined ? undefined : process => sh({ ...process, args: ['sh', path, ...process.args.slice(1)] });
  }
  return container.program(name);
}
