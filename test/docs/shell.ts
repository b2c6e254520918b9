import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../support/up.js';

export interface Outcome {
  readonly code: number;
  /** Of both streams. */
  readonly output: string;
}

/** One shell for all commands of a page: what one sets, the next has. */
export interface Shell {
  run(command: string, timeoutMs: number): Promise<Outcome>;
  /** Runs a command that goes on until it is ended, and ends it when it has said what is wanted. */
  runUntil(command: string, said: RegExp, timeoutMs: number): Promise<Outcome>;
  /** Ends it, and what was left in the background. */
  close(): void;
}

const INTERRUPTED = 130;

/** `files`: where it keeps what it is told and what comes out. */
export function openShell(cwd: string, files: string, env: NodeJS.ProcessEnv): Shell {
  // A process group of its own, which is ended as a whole.
  const shell = spawn('bash', ['--noprofile', '--norc'], {
    cwd,
    env,
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  shell.stdin.on('error', () => undefined);
  const file = (name: string): string => join(files, name);
  const read = (name: string): string => (existsSync(file(name)) ? readFileSync(file(name), 'utf8') : '');
  const begin = (command: string, how: string): void => {
    for (const name of ['output', 'code', 'pid']) rmSync(file(name), { force: true });
    writeFileSync(file('command'), `${command}\n`);
    shell.stdin.write(`${how}\necho $? > '${file('code')}.new'; mv '${file('code')}.new' '${file('code')}'\n`);
  };
  const ended = (what: string, timeoutMs: number): Promise<string> =>
    eventually(
      what,
      () => Promise.resolve(read('code')),
      code => code !== '',
      timeoutMs,
    );
  const quoted = `'${file('command')}'`;
  return {
    async run(command, timeoutMs) {
      begin(command, `. ${quoted} > '${file('output')}' 2>&1 </dev/null`);
      const code = await ended(`${command}: ${read('output')}`, timeoutMs);
      return { code: Number(code), output: read('output') };
    },
    async runUntil(command, said, timeoutMs) {
      begin(
        command,
        `setsid bash -c 'echo $$ > "${file('pid')}"; . "${file('command')}"' > '${file('output')}' 2>&1 </dev/null`,
      );
      await eventually(
        `${command} to say ${String(said)}`,
        () => Promise.resolve({ code: read('code'), output: read('output'), pid: read('pid') }),
        ({ code, output, pid }) => code !== '' || (pid !== '' && said.test(output)),
        timeoutMs,
      );
      if (read('code') === '') process.kill(-Number(read('pid')), 'SIGINT');
      const code = Number(await ended(command, timeoutMs));
      const output = read('output');
      return { code: said.test(output) && [0, INTERRUPTED].includes(code) ? 0 : code || 1, output };
    },
    close() {
      try {
        if (shell.pid !== undefined) process.kill(-shell.pid, 'SIGTERM');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    },
  };
}
