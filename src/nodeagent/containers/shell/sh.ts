import { FileError, resolvePath } from '../file-system.js';
import type { Process, Program } from '../process.js';
import { ExpansionError } from './expand.js';
import { catchExit, runScript, runText, runTraps } from './interpreter.js';
import { ShellSyntaxError } from './lexer.js';
import { seekableInput } from './line-input.js';
import { parseScript } from './parser.js';
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
  const body = script === undefined ? () => interactive(process, shell, streams) : () => whole(shell, script, streams);
  const status = await reported(shell, streams, () => catchExit(body));
  const atExit = shell.traps.get('EXIT');
  if (atExit === undefined) return status;
  shell.traps.delete('EXIT');
  return reported(shell, streams, () =>
    catchExit(async () => {
      await runText(shell, atExit, streams);
      return status;
    }),
  );
};

async function whole(shell: Shell, script: string, streams: Streams): Promise<number> {
  const status = await runScript(shell, parseScript(script), streams);
  await runTraps(shell, streams);
  return status;
}

/** Commands as they come in, each run when it is complete; with a terminal, after a prompt. */
async function interactive(process: Process, shell: Shell, streams: Streams): Promise<number> {
  const input = seekableInput(streams.stdin);
  const prompt = async (): Promise<void> => {
    if (process.tty) await streams.stderr.write(`${shell.cwd} # `);
  };
  let text = '';
  if (process.tty) process.trap('INT', () => shell.foreground.forEach(child => child.kill('INT')));
  await prompt();
  for (
    let line = await input.readLine(process.signal);
    line !== undefined;
    line = await input.readLine(process.signal)
  ) {
    text += `${line.text}\n`;
    const run = await reportedParse(shell, streams, text);
    if (run === 'incomplete') {
      if (process.tty) await streams.stderr.write('> ');
      continue;
    }
    text = '';
    if (run !== undefined) shell.status = await reported(shell, streams, () => runScript(shell, run, streams));
    await runTraps(shell, streams);
    await prompt();
  }
  if (text !== '') return reported(shell, streams, () => runText(shell, text, streams));
  return shell.status;
}

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
