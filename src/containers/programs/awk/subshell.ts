import { emptyInput, type Pipe } from '../../io.js';
import { spawn, type Child } from '../../spawn.js';
import { asText } from '../lines.js';
import { AwkError } from './syntax.js';
import type { Awk } from './state.js';

/** A command for the shell, as system() and pipes have it. */
export async function startShell(awk: Awk, command: string, streams: { stdin?: Pipe; stdout?: Pipe }): Promise<Child> {
  const { process } = awk;
  const program = await process.container.program('sh');
  if (program === undefined) throw new AwkError('no shell');
  const { env, cwd, stdout, stderr, pid } = process;
  return spawn(process.container, {
    args: ['sh', '-c', asText(command)],
    program,
    env,
    cwd,
    stdin: streams.stdin ?? (streams.stdout === undefined ? process.stdin : emptyInput),
    stdout: streams.stdout ?? stdout,
    stderr,
    parent: process.signal,
    ppid: pid,
  });
}
