import type { Program } from '../process.js';
import { forEachInput } from './each-input.js';
import { fromBytes, TextOutput } from './lines.js';
import { parseOptions } from './options.js';

/** strings [-fo] [-n LENGTH] [FILE...] */
export const strings: Program = async process => {
  const { operands, has, get } = parseOptions(process.args.slice(1), { short: 'afon:t:' });
  const least = Math.max(1, Number(get('n') ?? 4));
  return forEachInput(process, operands, async (input, name) => {
    const out = new TextOutput(process.stdout);
    /** What has been found of a run, in pieces: it may be as long as the file. */
    let run: string[] = [];
    let from = 0;
    let at = 0;
    const add = (chunk: Buffer, start: number, stop: number, before: number): void => {
      if (run.length === 0) from = before + start;
      run.push(fromBytes(chunk.subarray(start, stop)));
    };
    const end = (): Promise<void> | undefined => {
      const text = run.join('');
      run = [];
      if (text.length < least) return undefined;
      const place =
        has('o') || get('t') === 'o'
          ? `${(at - text.length).toString(8).padStart(7)} `
          : get('t') !== undefined
            ? `${(at - text.length).toString(get('t') === 'x' ? 16 : 10).padStart(7)} `
            : '';
      return out.write(`${has('f') ? `${name}: ` : ''}${place}${text}\n`);
    };
    for (let chunk = await input.read(process.signal); chunk !== undefined; chunk = await input.read(process.signal)) {
      const before = at;
      let start = 0;
      for (let i = 0; i < chunk.length; i++) {
        const byte = chunk[i] as number;
        if ((byte >= 32 && byte < 127) || byte === 9) continue;
        if (start < i) add(chunk, start, i, before);
        start = i + 1;
        if (run.length === 0) continue;
        at = before + i;
        const wait = end();
        if (wait !== undefined) await wait;
      }
      if (start < chunk.length) add(chunk, start, chunk.length, before);
      at = before + chunk.length;
      const held = run.length === 0 ? 0 : at - from;
      process.memory.add(held);
      process.memory.remove(held);
    }
    await end();
    await out.flush();
  });
};
