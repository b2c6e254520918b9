import type { Program } from '../process.js';
import { forEachInput } from './each-input.js';
import { eachLine, TextOutput } from './lines.js';
import { parseOptions } from './options.js';

/** fold [-bs] [-w WIDTH] [FILE...] */
export const fold: Program = async process => {
  const args = process.args.slice(1).map(arg => (/^-\d+$/.test(arg) ? `-w${arg.slice(1)}` : arg));
  const { operands, has, get } = parseOptions(args, { short: 'bsw:', long: { width: 'w:', spaces: 's', bytes: 'b' } });
  const width = Math.max(1, Number(get('w') ?? 80));
  return forEachInput(process, operands, async input => {
    const out = new TextOutput(process.stdout);
    await eachLine(
      process,
      input,
      async (given, terminated) => {
        let line = given;
        while (line.length > width) {
          const blank = has('s') ? line.lastIndexOf(' ', width - 1) : -1;
          const cut = blank >= 0 ? blank + 1 : width;
          await out.write(`${line.slice(0, cut)}\n`);
          line = line.slice(cut);
        }
        await out.write(line + (terminated ? '\n' : ''));
      },
      out,
    );
  });
};

const tabs =
  (change: (line: string, size: number, all: boolean) => string): Program =>
  async process => {
    const { operands, has, get } = parseOptions(process.args.slice(1), {
      short: 'ift:a',
      long: { tabs: 't:', initial: 'i', all: 'a' },
    });
    const size = Math.max(1, Number(get('t') ?? 8));
    return forEachInput(process, operands, async input => {
      const out = new TextOutput(process.stdout);
      await eachLine(
        process,
        input,
        (line, terminated) =>
          out.write(change(line, size, has('i') || has('f') ? false : true) + (terminated ? '\n' : '')),
        out,
      );
    });
  };

/** expand [-i] [-t N] [FILE...] */
export const expand = tabs((line, size, all) => {
  let text = '';
  let initial = true;
  for (const c of line) {
    if (c === '\t' && (initial || all)) text += ' '.repeat(size - (text.length % size));
    else {
      if (c !== ' ' && c !== '\t') initial = false;
      text += c;
    }
  }
  return text;
});

/** unexpand [-f] [-t N] [FILE...]: blanks at the beginning of lines. */
export const unexpand = tabs((line, size) => {
  let blanks = 0;
  let at = 0;
  for (; line[at] === ' ' || line[at] === '\t'; at++) blanks += line[at] === '\t' ? size - (blanks % size) : 1;
  return '\t'.repeat(Math.floor(blanks / size)) + ' '.repeat(blanks % size) + line.slice(at);
});
