import { FileError, resolvePath } from '../file-system.js';
import { emptyInput, inputOf, nullOutput, type Input, type Output } from '../io.js';
import type { Redirection } from './ast.js';
import { expandText, type ExpansionContext, ExpansionError } from './expand.js';
import { seekableInput } from './line-input.js';
import type { Shell, Streams } from './state.js';

/** What a descriptor that was closed gives. */
const closed: Input & Output = {
  read() {
    throw new FileError('EBADF');
  },
  write() {
    throw new FileError('EBADF');
  },
};

const isInput = (stream: Input | Output): stream is Input => 'read' in stream;
const isOutput = (stream: Input | Output): stream is Output => 'write' in stream;
const MAX_DESCRIPTOR = 1023;

/** Applies redirections. Undefined when one failed, which has been said on stderr. */
export async function redirect(
  shell: Shell,
  redirections: readonly Redirection[],
  streams: Streams,
  context: ExpansionContext,
): Promise<Streams | undefined> {
  if (redirections.length === 0) return streams;
  const { files } = shell.process.container;
  const open = new Map<number, Input | Output>([
    [0, streams.stdin],
    [1, streams.stdout],
    [2, streams.stderr],
    ...(streams.others ?? []),
  ]);
  for (const redirection of redirections) {
    const { op, fd } = redirection;
    let target = '';
    if (fd > MAX_DESCRIPTOR) throw new ExpansionError(`${fd}: Bad file descriptor`);
    try {
      if (op === '<<') {
        const text = await expandText(redirection.body, context);
        shell.process.memory.add(text.length);
        shell.process.memory.remove(text.length);
        open.set(fd, seekableInput(inputOf(text)));
        continue;
      }
      target = await expandText(redirection.target, context);
      if (op === '>&' || op === '<&') {
        if (target === '-') {
          open.set(fd, closed);
          continue;
        }
        const source = /^\d+$/.test(target) ? open.get(Number(target)) : undefined;
        if (source !== undefined) open.set(fd, source);
        else if (op === '>&' && fd === 1 && !/^\d+$/.test(target)) {
          // As bash's &>: both to one file.
          const output = await files.openWrite(resolvePath(shell.cwd, target), { mode: 0o666 & ~shell.umask });
          open.set(1, output).set(2, output);
        } else throw new ExpansionError(`${target}: Bad file descriptor`);
        continue;
      }
      const path = resolvePath(shell.cwd, target);
      // /dev/stdout and its like are the streams as they are here, redirections so far included.
      const own = /^\/(?:dev\/(?:fd\/(\d{1,4})|std(in|out|err))|proc\/self\/fd\/(\d{1,4}))$/.exec(path);
      if (own !== null) {
        const number = Number(own[1] ?? own[3] ?? { in: 0, out: 1, err: 2 }[own[2] ?? ''] ?? -1);
        const source = open.get(number);
        if (source === undefined) throw new FileError('ENOENT');
        open.set(fd, source);
        continue;
      }
      if (op === '<') open.set(fd, seekableInput(await files.openRead(path)));
      else open.set(fd, await files.openWrite(path, { append: op === '>>', mode: 0o666 & ~shell.umask }));
    } catch (error) {
      if (error instanceof FileError) {
        const verb = op === '<' ? "can't open" : "can't create";
        await streams.stderr.write(`${shell.name}: ${verb} ${target}: ${error.message}\n`);
        return undefined;
      }
      throw error;
    }
  }
  const [stdin = closed, stdout = closed, stderr = closed] = [open.get(0), open.get(1), open.get(2)];
  const others = new Map([...open].filter(([fd, stream]) => fd > 2 && stream !== closed));
  return {
    stdin: isInput(stdin) ? stdin : emptyInput,
    stdout: isOutput(stdout) ? stdout : nullOutput,
    stderr: isOutput(stderr) ? stderr : nullOutput,
    ...(others.size === 0 ? {} : { others }),
  };
}
