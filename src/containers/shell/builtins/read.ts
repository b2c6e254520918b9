import { deadline, DeadlineExceeded } from '../../../machinery/deadline.js';
import { parseOptions } from '../../programs/options.js';
import { seekableInput, type LineInput } from '../line-input.js';
import { assignVariable } from '../assign.js';
import { complain } from './complain.js';
import type { Builtin } from './types.js';

/** read [-r]/** read [-r] [-p PROMPT] [-t SECONDS] [-n CHARACTERS] [-d DELIMITER] [-s] NAME... */
export const read: Builtin = async (shell, args, streams) => {
  let options: ReturnType<typeof parseOptions>;
  try {
    options = parseOptions(args, { short: 'rsp:t:n:d:u:', stopAtOperand: true });
  } catch (error) {
    return complain(shell, streams, `read: ${(error as Error).message}`, 2);
  }
  const names = options.operands.length === 0 ? ['REPLY'] : [...options.operands];
  const { process } = shell;
  const prompt = options.get('p');
  if (prompt !== undefined && process.tty) await streams.stderr.write(prompt);
  const fd = Number(options.get('u') ?? 0);
  const from = fd === 0 ? streams.stdin : streams.others?.get(fd);
  if (from === undefined || !('read' in from)) return complain(shell, streams, `read: ${fd}: Bad file descriptor`, 2);
  const seconds = options.get('t');
  const limit = deadline(
    process.container.clock,
    seconds === undefined ? Infinity : Number(seconds) * 1000,
    process.signal,
  );
  const stop = (): void => limit.cancel();
  let held = 0;
  const hold = (bytes: number): void => {
    held += bytes;
    process.memory.add(bytes);
  };
  let line: Awaited<ReturnType<LineInput['readLine']>>;
  try {
    const signal = shell.interrupted === undefined ? limit.signal : AbortSignal.any([limit.signal, shell.interrupted]);
    const delimiter = options.get('d');
    line = await seekableInput(from).readLine(
      signal,
      hold,
      delimiter === undefined ? 10 : (Buffer.from(delimiter)[0] ?? 0),
    );
  } catch (error) {
    if (!(error instanceof DeadlineExceeded)) throw error;
    return 1;
  } finally {
    stop();
    process.memory.remove(held);
  }
  const count = options.get('n');
  const text = (line?.text ?? '').slice(0, count === undefined ? undefined : Number(count));
  const cleaned = options.has('r') ? text : text.replace(/\\(.)/g, '$1');
  const ifs = shell.variables.get('IFS') ?? ' \t\n';
  const isBlank = (c: string | undefined): boolean =>
    c !== undefined && c !== '' && ' \t\n'.includes(c) && ifs.includes(c);
  let at = 0;
  const skip = (): void => {
    while (isBlank(cleaned[at])) at++;
  };
  skip();
  names.forEach((name, i) => {
    let end = at;
    if (i === names.length - 1) {
      end = cleaned.length;
      while (end > at && isBlank(cleaned[end - 1])) end--;
    } else while (end < cleaned.length && !ifs.includes(cleaned[end] ?? '')) end++;
    assignVariable(shell, name, cleaned.slice(at, end));
    at = end;
    skip();
    if (at < cleaned.length && ifs.includes(cleaned[at] ?? ' ') && !isBlank(cleaned[at]) && i < names.length - 1) {
      at++;
      skip();
    }
  });
  return line?.complete === true || (count !== undefined && text !== '') ? 0 : 1;
};
