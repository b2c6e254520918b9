import { FileError, resolvePath } from '../file-system.js';
import { Killed, type Program } from '../process.js';
import { untilAborted } from '../spawn.js';
import type { Terminal } from '../terminal.js';
import { ExpansionError } from './expand.js';
import { MAX_SCRIPT, runExitTrap, runScript, runText, runTraps } from './interpreter.js';
import { catchExit } from './levels.js';
import { checkpoint } from './processes.js';
import { ShellSyntaxError } from './syntax-error.js';
import { createLineEditor, INTERRUPTED } from './line-editor.js';
import { seekableInput } from './line-input.js';
import { parseLines, parseScript } from './parser.js';
import { createShell, type Shell, type ShellOptions, type Streams } from './state.js';

const LETTERS: Readonly<Record<string, keyof ShellOptions>> = { e: 'errexit', u: 'nounset', x: 'xtrace' };

/** sh [-eux] [-o option] [-c script [name [args...]] | file [args...]]; without either it reads commands from stdin. */
export const sh: Program = async process => {
  const rest = process.args.slice(1);
  const name = process.args[0] ?? 'sh';
  const on: (keyof ShellOptions)[] = [];
  let script: string | undefined;
  let wantsScript = false;
  for (let arg = rest[0]; arg?.startsWith('-') === true; arg = rest[0]) {
    rest.shift();
    if (arg === '--') break;
    if (arg.startsWith('--')) continue;
    for (const letter of arg.slice(1)) {
      const option = letter === 'o' ? (rest.shift() as keyof ShellOptions | undefined) : LETTERS[letter];
      if (letter === 'c') wantsScript = true;
      else if (option !== undefined) on.push(option);
      else if (!'ilsv'.includes(letter)) {
        await process.stderr.write(`${name}: illegal option -${letter}\n`);
        return 2;
      }
    }
  }
  let shell: Shell;
  if (wantsScript) {
    script = rest.shift();
    if (script === undefined) {
      await process.stderr.write(`${name}: -c requires an argument\n`);
      return 2;
    }
    shell = createShell(process, rest[0] ?? name, rest.slice(1));
  } else {
    shell = createShell(process, rest[0] ?? name, rest.slice(1));
    if (rest[0] !== undefined)
      try {
        script = (await process.container.files.read(resolvePath(process.cwd, rest[0]))).toString('utf8');
      } catch (error) {
        if (!(error instanceof FileError)) throw error;
        await process.stderr.write(`${name}: can't open '${rest[0]}': ${error.message}\n`);
        return 2;
      }
  }
  for (const option of on) shell.options[option] = true;
  const streams: Streams = {
    stdin: seekableInput(process.stdin),
    stdout: process.stdout,
    stderr: process.stderr,
  };
  const body = (): Promise<number> => {
    if (script !== undefined) return whole(shell, script, streams);
    return process.tty && process.terminal !== undefined
      ? interactive(process.terminal, shell, streams)
      : fromInput(shell, streams);
  };
  const status = await reported(shell, streams, () => catchExit(body));
  return reported(shell, streams, () => runExitTrap(shell, streams, status));
};

async function whole(shell: Shell, script: string, streams: Streams): Promise<number> {
  for (const { script: line, last } of parseLines(script)) {
    await checkpoint(shell);
    await runScript(shell, line, streams, { tested: false, last });
    await runTraps(shell, streams);
  }
  return shell.status;
}

/** Commands as they come in, each run when it is complete. */
async function fromInput(shell: Shell, streams: Streams): Promise<number> {
  const { process } = shell;
  const input = seekableInput(streams.stdin);
  const hold = (bytes: number): void => {
    process.memory.add(bytes);
    process.memory.remove(bytes);
  };
  let text = '';
  /** Length at which an incomplete command is looked at again, so that a long one is not parsed with every line. */
  let next = 0;
  for (;;) {
    const line = await input.readLine(process.signal, hold);
    if (line === undefined) break;
    text += `${line.text}\n`;
    if (text.length > MAX_SCRIPT) throw new ShellSyntaxError('script too long');
    await checkpoint(shell);
    if (text.length < next) continue;
    const run = await reportedParse(shell, streams, text);
    if (run === 'incomplete') {
      next = text.length > 16 * 1024 ? text.length * 1.25 : 0;
      continue;
    }
    text = '';
    next = 0;
    if (run !== undefined) shell.status = await reported(shell, streams, () => runScript(shell, run, streams));
    await runTraps(shell, streams);
  }
  if (text !== '') return reported(shell, streams, () => runText(shell, text, streams));
  return shell.status;
}

/** With a terminal: prompts, a line that can be edited, and Ctrl-C that ends what runs and not the shell. */
async function interactive(terminal: Terminal, shell: Shell, streams: Streams): Promise<number> {
  const { process } = shell;
  const editor = createLineEditor(process, terminal, shell);
  let running: AbortController | undefined;
  process.trap('INT', () => {
    for (const child of shell.foreground) child.kill('INT');
    running?.abort(new Killed('INT'));
  });
  for (const name of ['QUIT', 'TERM', 'TSTP'] as const) process.trap(name, () => undefined);
  let text = '';
  for (;;) {
    const prompt =
      text === '' ? `${shell.cwd === shell.variables.get('HOME') ? '~' : shell.cwd} ${mark(shell)} ` : '> ';
    const line = await editor.read(prompt);
    if (line === undefined) return shell.status;
    if (line === INTERRUPTED) {
      text = '';
      shell.status = 130;
      continue;
    }
    text += `${line}\n`;
    const run = await reportedParse(shell, streams, text);
    if (run === 'incomplete') continue;
    text = '';
    if (run === undefined) continue;
    let work: Promise<number> | undefined;
    running = new AbortController();
    shell.interrupted = running.signal;
    try {
      work = reported(shell, streams, () => runScript(shell, run, streams));
      shell.status = await untilAborted(work, running.signal);
    } catch (error) {
      if (!(error instanceof Killed) || process.signal.aborted) throw error;
      // What was interrupted notices at its next step; what does not is left behind.
      const ended = work?.catch(() => undefined);
      await Promise.race([ended, process.container.clock.sleep(LEFT_BEHIND_MS, process.signal, { work: true })]);
      shell.status = error.exitCode;
      shell.loops = shell.depth = 0;
    } finally {
      shell.interrupted = undefined;
      running = undefined;
    }
    await runTraps(shell, streams);
  }
}

const LEFT_BEHIND_MS = 500;

const mark = (shell: Shell): string => (shell.process.container.security.credentials.uid === 0 ? '#' : '$');

async function reportedParse(shell: Shell, streams: Streams, text: string) {
  try {
    return parseScript(text);
  } catch (error) {
    if (!(error instanceof ShellSyntaxError)) throw error;
    if (/unexpected end of file|unterminated/.test(error.message)) return 'incomplete';
    shell.status = 2;
    await streams.stderr.write(`${shell.name}: ${error.message}\n`);
    return undefined;
  }
}

/** Errors of the script itself end it with 2 and a line. */
async function reported(shell: Shell, streams: Streams, work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ShellSyntaxError || error instanceof ExpansionError || error instanceof FileError))
      throw error;
    await streams.stderr.write(`${shell.name}: ${error.message}\n`);
    return 2;
  }
}
