import { resolvePath } from '../file-system.js';
import type { Output } from '../io.js';
import type { Program } from '../process.js';
import { writerOf } from '../spawn.js';
import { parseCount } from './counts.js';
import { openInput } from './each-input.js';
import { eachLine, toBytes } from './lines.js';
import { parseOptions } from './options.js';

/** "aa", "ab", ... @throws Error when they are used up */
const suffix = (index: number, length: number): string => {
  let text = '';
  let rest = index;
  for (let i = 0; i < length; i++) {
    text = String.fromCharCode(97 + (rest % 26)) + text;
    rest = Math.floor(rest / 26);
  }
  if (rest > 0) throw new Error('suffixes exhausted');
  return text;
};

/** split [-a LENGTH] [-b BYTES|-l LINES] [FILE [PREFIX]] */
export const split: Program = async process => {
  const args = process.args.slice(1).map(arg => (/^-\d+$/.test(arg) ? `-l${arg.slice(1)}` : arg));
  const { operands, get } = parseOptions(args, { short: 'a:b:l:' });
  const [file = '-', prefix = 'x'] = operands;
  const length = Math.min(10, Number(get('a') ?? 2));
  const input = file === '-' ? process.stdin : await openInput(process, file);
  let index = 0;
  const open = async (): Promise<Output> =>
    writerOf(
      await process.container.files.openWrite(resolvePath(process.cwd, prefix + suffix(index++, length))),
      process.turn,
    );
  const bytes = get('b');
  let out: Output | undefined;
  if (bytes === undefined) {
    const limit = Math.max(1, parseCount(get('l') ?? '1000'));
    let count = 0;
    await eachLine(process, input, async (line, terminated) => {
      if (count++ % limit === 0) out = await open();
      await out?.write(toBytes(terminated ? `${line}\n` : line));
    });
    return 0;
  }
  const size = Math.max(1, parseCount(bytes));
  let left = 0;
  for (let chunk = await input.read(process.signal); chunk !== undefined; chunk = await input.read(process.signal))
    for (let at = 0; at < chunk.length;) {
      if (left === 0) {
        out = await open();
        left = size;
      }
      const piece = chunk.subarray(at, at + left);
      await out?.write(piece);
      at += piece.length;
      left -= piece.length;
    }
  return 0;
};
