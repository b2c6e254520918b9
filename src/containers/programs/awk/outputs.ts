import { resolvePath } from '../../file-system.js';
import { createPipe, type Output } from '../../io.js';
import { writerOf } from '../../spawn.js';
import { asText, TextOutput } from '../lines.js';
import type { Redirection } from './syntax.js';
import type { Awk, Sink } from './state.js';
import { startShell } from './subshell.js';

/** Where a redirected print writes to; opened once for each name. */
export async function sinkOf(awk: Awk, { op }: Redirection, name: string): Promise<Sink> {
  const known = awk.sinks.get(name);
  if (known !== undefined) return known;
  let made: Sink;
  if (op === '|') {
    await flush(awk);
    const pipe = createPipe();
    const child = await startShell(awk, name, { stdin: pipe });
    const done = child.exited.finally(pipe.closeRead);
    made = {
      out: new TextOutput(writerOf(pipe, awk.process.turn)),
      async close() {
        pipe.closeWrite();
        return done;
      },
    };
  } else {
    const own: Readonly<Record<string, Output>> = {
      '/dev/stdout': awk.process.stdout,
      '-': awk.process.stdout,
      '/dev/stderr': awk.process.stderr,
    };
    const output =
      own[name] ??
      writerOf(
        await awk.process.container.files.openWrite(resolvePath(awk.process.cwd, asText(name)), {
          append: op === '>>',
        }),
        awk.process.turn,
      );
    made = { out: name === '/dev/stdout' || name === '-' ? awk.out : new TextOutput(output), close: async () => 0 };
  }
  awk.sinks.set(name, made);
  return made;
}

export async function flush(awk: Awk): Promise<void> {
  await awk.out.flush();
  for (const { out } of awk.sinks.values()) await out.flush();
}

/** close(): what it is worth, or -1 when nothing of that name is open. */
export async function closeNamed(awk: Awk, name: string): Promise<number> {
  const [sink, source] = [awk.sinks.get(name), awk.sources.get(name)];
  await flush(awk);
  awk.sinks.delete(name);
  awk.sources.delete(name);
  let status = -1;
  if (sink !== undefined) status = await sink.close();
  if (source !== undefined) status = await source.close();
  return status;
}

export async function runSystem(awk: Awk, command: string): Promise<number> {
  await flush(awk);
  return (await startShell(awk, command, {})).exited;
}
