import type { Program } from '../process.js';
import { forEachInput } from './each-input.js';
import { asBytes, eachLine, TextOutput } from './lines.js';
import { parseOptions, UsageError } from './options.js';

/** "1,3-5,7-" as pairs, in order. @throws UsageError */
function ranges(list: string): readonly (readonly [number, number])[] {
  const pairs = list.split(',').map((part): readonly [number, number] => {
    const parsed = /^(\d{0,9})(-?)(\d{0,9})$/.exec(part);
    const [, from = '', dash = '', to = ''] = parsed ?? [];
    if (parsed === null || (from === '' && to === '')) throw new UsageError(`invalid range '${part}'`);
    const start = from === '' ? 1 : Number(from);
    const end = dash === '' ? start : to === '' ? Infinity : Number(to);
    if (start === 0 || end < start) throw new UsageError(`invalid range '${part}'`);
    return [start, end];
  });
  return pairs.sort((a, b) => a[0] - b[0]);
}

/** cut -b|-c|-f LIST [-d DELIMITER] [-s] [FILE...] */
export const cut: Program = async process => {
  const options = parseOptions(process.args.slice(1), {
    short: 'd:f:c:b:sn',
    long: {
      delimiter: 'd:',
      fields: 'f:',
      characters: 'c:',
      bytes: 'b:',
      'only-delimited': 's',
      'output-delimiter': 'output:',
    },
  });
  const list = options.get('f') ?? options.get('c') ?? options.get('b');
  if (list === undefined) {
    await process.stderr.write('cut: expected a list of bytes, characters, or fields\n');
    return 1;
  }
  const wanted = ranges(list);
  const byField = options.has('f');
  const delimiter = asBytes(options.get('d') ?? '\t').slice(0, 1) || '\0';
  const glue = asBytes(options.get('output') ?? (byField ? delimiter : ''));
  const chosen = (i: number): boolean => wanted.some(([from, to]) => i >= from && i <= to);
  return forEachInput(process, options.operands, async input => {
    const out = new TextOutput(process.stdout);
    await eachLine(
      process,
      input,
      line => {
        if (!byField) {
          let text = '';
          let done = 0;
          for (const [from, to] of wanted) {
            const start = Math.max(from - 1, done);
            if (start >= line.length) break;
            text += (text === '' ? '' : glue) + line.slice(start, Math.min(to, line.length));
            done = Math.max(done, Math.min(to, line.length));
          }
          return out.write(`${text}\n`);
        }
        if (!line.includes(delimiter)) return options.has('s') ? undefined : out.write(`${line}\n`);
        return out.write(
          `${line
            .split(delimiter)
            .filter((_, i) => chosen(i + 1))
            .join(glue)}\n`,
        );
      },
      out,
    );
  });
};
