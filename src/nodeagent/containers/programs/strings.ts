import type { Program } from '../process.js';
import { forEachInput } from './each-input.js';
import { TextOutput } from './lines.js';
import { parseOptions } from './options.js';

/** strings [-fo] [-n LENGTH] [FILE...] */
export const strings: Program = async process => {
  const { operands, has, get } = parseOptions(process.args.slice(1), { short: 'afon:t:' });
  const least = Math.max(1, Number(get('n') ?? 4));
  return forEachInput(process, operands, async (input, name) => {
    const out = new TextOutput(process.stdout);
    let run = '';
    let at = 0;
    const end = (): Promise<void> | undefined => {
      const text = run;
      run = '';
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
      for (const byte of chunk) {
        if ((byte >= 32 && byte < 127) || byte === 9) run += String.fromCharCode(byte);
        else if (run !== '') {
          const wait = end();
          if (wait !== undefined) await wait;
        }
        at++;
      }
      process.memory.add(run.length);
      process.memory.remove(run.length);
    }
    await end();
    await out.flush();
  });
};
