import type { Process, Program } from '../process.js';
import { parseCount } from './counts.js';
import { forEachInput } from './each-input.js';
import { eachLine, TextOutput } from './lines.js';
import { parseOptions, type Options } from './options.js';

/** "-n 5", "-5". */
export function countOptions(process: Process, short: string): Options {
  const normal = process.args
    .slice(1)
    .map((arg, i, all) => (/^-\d+$/.test(arg) && !/^-[nc]$/.test(all[i - 1] ?? '') ? `-n${arg.slice(1)}` : arg));
  return parseOptions(normal, { short, long: { lines: 'n:', bytes: 'c:', follow: 'f', quiet: 'q', verbose: 'v' } });
}

/** "==> name <==" above each of several files. */
export function titles(options: Options): (name: string) => string {
  const shown = options.has('v') || (options.operands.length > 1 && !options.has('q'));
  let first = true;
  return name => {
    if (!shown) return '';
    const text = `${first ? '' : '\n'}==> ${name === '-' ? 'standard input' : name} <==\n`;
    first = false;
    return text;
  };
}

/** head [-n LINES|-c BYTES] [-q|-v] [FILE...]; a negative number leaves out so many at the end. */
export const head: Program = async process => {
  const options = countOptions(process, 'n:c:qv');
  const bytes = options.get('c');
  const lines = options.get('n') ?? '10';
  const title = titles(options);
  return forEachInput(process, options.operands, async (input, name) => {
    const out = new TextOutput(process.stdout);
    await out.write(title(name));
    await out.flush();
    if (bytes !== undefined) return firstBytes(process, input, bytes);
    if (lines.startsWith('-')) {
      const waiting: string[] = [];
      const keep = parseCount(lines.slice(1));
      await eachLine(
        process,
        input,
        (line, terminated) => {
          waiting.push(terminated ? `${line}\n` : line);
          return waiting.length > keep ? out.write(waiting.shift() ?? '') : undefined;
        },
        out,
      );
      return;
    }
    const limit = parseCount(lines);
    let count = 0;
    if (limit === 0) return;
    await eachLine(
      process,
      input,
      async (line, terminated) => {
        await out.write(terminated ? `${line}\n` : line);
        return ++count >= limit ? 'stop' : undefined;
      },
      out,
    );
  });
};

async function firstBytes(process: Process, input: Process['stdin'], given: string): Promise<void> {
  const cut = given.startsWith('-');
  let left = parseCount(cut ? given.slice(1) : given);
  if (cut) {
    // All but the last so many.
    let waiting: Buffer = Buffer.alloc(0);
    process.memory.add(left);
    for (let chunk = await input.read(process.signal); chunk !== undefined; chunk = await input.read(process.signal)) {
      waiting = Buffer.concat([waiting, chunk]);
      if (waiting.length <= left) continue;
      await process.stdout.write(waiting.subarray(0, waiting.length - left));
      waiting = waiting.subarray(waiting.length - left);
    }
    return;
  }
  while (left > 0) {
    const chunk = await input.read(process.signal);
    if (chunk === undefined) return;
    await process.stdout.write(chunk.subarray(0, left));
    left -= chunk.length;
  }
}
