import type { Program } from '../process.js';
import { forEachInput } from './each-input.js';
import { asBytes, eachLine, TextOutput } from './lines.js';
import { parseOptions } from './options.js';

/** nl [-b a|t|n] [-i STEP] [-n ln|rn|rz] [-s SEPARATOR] [-v FIRST] [-w WIDTH] [FILE...] */
export const nl: Program = async process => {
  const { operands, get } = parseOptions(process.args.slice(1), {
    short: 'b:i:n:s:v:w:',
    long: {
      'body-numbering': 'b:',
      'starting-line-number': 'v:',
      'number-width': 'w:',
      'number-separator': 's:',
      'line-increment': 'i:',
      'number-format': 'n:',
    },
  });
  const style = get('b') ?? 't';
  const width = Math.min(1000, Number(get('w') ?? 6));
  const separator = asBytes(get('s') ?? '\t');
  const step = Number(get('i') ?? 1);
  const format = get('n') ?? 'rn';
  let number = Number(get('v') ?? 1);
  return forEachInput(process, operands, async input => {
    const out = new TextOutput(process.stdout);
    await eachLine(
      process,
      input,
      line => {
        if (style === 'n' || (style === 't' && line === ''))
          return out.write(`${' '.repeat(width + separator.length)}${line}\n`);
        const text = String(number);
        number += step;
        const shown = format === 'ln' ? text.padEnd(width) : text.padStart(width, format === 'rz' ? '0' : ' ');
        return out.write(`${shown}${separator}${line}\n`);
      },
      out,
    );
  });
};
