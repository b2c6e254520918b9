import type { Program } from '../process.js';
import { forEachInput } from './each-input.js';
import { parseOptions } from './options.js';

/** base64 [-d] [-w COLUMNS] [FILE] */
export const base64: Program = async process => {
  const { operands, has, get } = parseOptions(process.args.slice(1), {
    short: 'dw:',
    long: { decode: 'd', wrap: 'w:' },
  });
  const width = Number(get('w') ?? 76);
  return forEachInput(process, operands, async input => {
    let rest: Buffer = Buffer.alloc(0);
    let digits = '';
    let column = 0;
    let any = false;
    const put = async (text: string): Promise<void> => {
      any ||= text !== '';
      if (width === 0) return void (await process.stdout.write(text));
      let out = '';
      for (let at = 0; at < text.length;) {
        const piece = text.slice(at, at + width - column);
        out += piece;
        at += piece.length;
        column += piece.length;
        if (column === width) {
          out += '\n';
          column = 0;
        }
      }
      await process.stdout.write(out);
    };
    for (let chunk = await input.read(process.signal); chunk !== undefined; chunk = await input.read(process.signal)) {
      if (has('d')) {
        const text = digits + chunk.toString('latin1').replace(/[^A-Za-z0-9+/=]/g, '');
        const whole = text.length - (text.length % 4);
        await process.stdout.write(Buffer.from(text.slice(0, whole), 'base64'));
        digits = text.slice(whole);
      } else {
        const all = Buffer.concat([rest, chunk]);
        const whole = all.length - (all.length % 3);
        await put(all.toString('base64', 0, whole));
        rest = all.subarray(whole);
      }
    }
    if (has('d')) await process.stdout.write(Buffer.from(digits, 'base64'));
    else {
      await put(rest.toString('base64'));
      if (any && (column > 0 || width === 0)) await process.stdout.write('\n');
    }
  });
};
