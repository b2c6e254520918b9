import { atOnce, type Steps } from '../../machinery/steps.js';
import { paced } from '../paced.js';
import type { Program } from '../process.js';
import { forEachInput } from './each-input.js';
import { asBytes, eachLine, TextOutput } from './lines.js';
import { parseOptions, UsageError } from './options.js';
import { TextBuilder } from './text-builder.js';

type Range = readonly [from: number, to: number];

/** "1,3-5,7-" as pairs, in order. @throws UsageError */
function ranges(list: string): readonly Range[] {
  const pairs = list.split(',').map((part): Range => {
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

/** What is longer is cut in steps. */
const LONG_LINE = 64 * 1024;
const FIELDS_PER_STEP = 1024;

/** The fields of a line that are wanted. */
function* fieldsOf(line: string, delimiter: string, wanted: readonly Range[], glue: string): Steps<string> {
  const parts = new TextBuilder();
  let next = 0;
  let until = 0;
  let at = 0;
  for (let field = 1, first = true; at <= line.length; field++) {
    if (field % FIELDS_PER_STEP === 0) yield;
    for (let range = wanted[next]; range !== undefined && range[0] <= field; range = wanted[++next])
      until = Math.max(until, range[1]);
    if (next === wanted.length && field > until) break;
    const found = line.indexOf(delimiter, at);
    const end = found < 0 ? line.length : found;
    if (field <= until) {
      parts.push(first ? '' : glue, line.slice(at, end));
      first = false;
    }
    at = end + 1;
  }
  return parts.text();
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
  const fields = (line: string): Steps<string> => fieldsOf(line, delimiter, wanted, glue);
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
        if (line.length < LONG_LINE) return out.write(`${atOnce(fields(line))}\n`);
        return paced(fields(line), process.turn).then(text => out.write(`${text}\n`));
      },
      out,
    );
  });
};
