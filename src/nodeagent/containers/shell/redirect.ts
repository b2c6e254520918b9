import { FileError, resolvePath } from '../file-system.js';
import { inputOf, nullOutput, type Output } from '../io.js';
import type { Redirection } from './ast.js';
import { expandText, type ExpansionContext, ExpansionError } from './expand.js';
import { seekableInput } from './line-input.js';
import type { Shell, Streams } from './state.js';

/** Applies redirections. Undefined when one failed, which has been said on stderr. */
export async function redirect(
  shell: Shell,
  redirections: readonly Redirection[],
  streams: Streams,
  context: ExpansionContext,
): Promise<{ streams: Streams; flush: () => Promise<void> } | undefined> {
  if (redirections.length === 0) return { streams, flush: async () => undefined };
  const { files } = shell.process.container;
  let { stdin } = streams;
  const outputs: Record<number, Output> = { 1: streams.stdout, 2: streams.stderr };
  const pending: (() => Promise<void>)[] = [];
  for (const redirection of redirections) {
    const { op, fd } = redirection;
    let target = '';
    try {
      if (op === '<<') {
        stdin = seekableInput(inputOf(await expandText(redirection.body, context)));
        continue;
      }
      target = await expandText(redirection.target, context);
      if (op === '>&' || op === '<&') {
        const source = outputs[Number(target)];
        if (target === '-') outputs[fd] = nullOutput;
        else if (source !== undefined) outputs[fd] = source;
        else if (!(op === '<&' && target === '0')) throw new ExpansionError(`${target}: Bad file descriptor`);
        continue;
      }
      const path = resolvePath(shell.cwd, target);
      if (op === '<') {
        stdin = seekableInput(inputOf(await files.read(path)));
        continue;
      }
      if (fd !== 1 && fd !== 2) throw new ExpansionError(`${fd}: Bad file descriptor`);
      const device = path === '/dev/stdout' ? outputs[1] : path === '/dev/stderr' ? outputs[2] : undefined;
      if (device !== undefined) {
        outputs[fd] = device;
        continue;
      }
      await files.write(path, Buffer.alloc(0), { append: op === '>>' });
      const { output, flush } = fileOutput(files, path);
      outputs[fd] = output;
      pending.push(flush);
    } catch (error) {
      if (error instanceof FileError) {
        const verb = op === '<' ? "can't open" : "can't create";
        await streams.stderr.write(`${shell.name}: ${verb} ${target}: ${error.message}\n`);
        return undefined;
      }
      throw error;
    }
  }
  const redirected = { stdin, stdout: outputs[1] ?? nullOutput, stderr: outputs[2] ?? nullOutput };
  const flush = async (): Promise<void> => {
    for (const done of pending) await done();
  };
  return { streams: redirected, flush };
}

/** Appends in order; each write is done before the next, so that readers see what was written so far. */
function fileOutput(
  files: Shell['process']['container']['files'],
  path: string,
): { output: Output; flush: () => Promise<void> } {
  let tail: Promise<void> = Promise.resolve();
  return {
    output: {
      write(data) {
        tail = tail.then(() => files.write(path, Buffer.from(data), { append: true }));
        return tail;
      },
    },
    flush: () => tail,
  };
}
