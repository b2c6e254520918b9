import type { Process } from '../process.js';

/** The longest line that is put together. */
const MAX_LINE = 1024 * 1024;

/** Lines of a process's input without their ends; the last one may have none. @throws Error for one of more than 1 MiB */
export async function* inputLines({ stdin, signal }: Process): AsyncGenerator<string> {
  let pieces: Buffer[] = [];
  let size = 0;
  for (let chunk = await stdin.read(signal); chunk !== undefined; chunk = await stdin.read(signal)) {
    let from = 0;
    for (let at = chunk.indexOf(0x0a); at >= 0; at = chunk.indexOf(0x0a, from)) {
      yield Buffer.concat([...pieces, chunk.subarray(from, at)]).toString('utf8');
      [pieces, size] = [[], 0];
      from = at + 1;
    }
    size += chunk.length - from;
    if (size > MAX_LINE) throw new Error('line too long');
    pieces.push(chunk.subarray(from));
  }
  if (size > 0) yield Buffer.concat(pieces).toString('utf8');
}
