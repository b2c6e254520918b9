import { trimEnd } from '../../machinery/trim.js';
import type { Program } from '../process.js';
import { parseOptions, UsageError } from './options.js';

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** getopt [-o SHORT] [-l LONG,...] [-n NAME] [--] ARGUMENT... */
export const getopt: Program = async process => {
  const { operands, get, all } = parseOptions(process.args.slice(1), {
    short: 'o:l:n:uqTa',
    long: { options: 'o:', longoptions: 'l:', long: 'l:', name: 'n:' },
    stopAtOperand: true,
  });
  const words = [...operands];
  const short = (get('o') ?? words.shift() ?? '').replace(/^[-+]/, '');
  if (words[0] === '--') words.shift();
  const long = new Map(
    all('l')
      .flatMap(list => list.split(','))
      .map(name => [trimEnd(name, ':'), name.endsWith(':')]),
  );
  const found: string[] = [];
  const rest: string[] = [];
  try {
    for (let word = words.shift(); word !== undefined; word = words.shift()) {
      if (word === '--') {
        rest.push(...words);
        break;
      }
      if (word.startsWith('--')) {
        const [name = '', value] = word.slice(2).split(/=(.*)/s);
        const takes = long.get(name);
        if (takes === undefined) throw new UsageError(`unrecognized option '--${name}'`);
        found.push(`--${name}`);
        if (takes) found.push(quoted(value ?? words.shift() ?? ''));
      } else if (word.startsWith('-') && word.length > 1)
        for (let i = 1; i < word.length; i++) {
          const letter = word[i] ?? '';
          const at = letter === ':' ? -1 : short.indexOf(letter);
          if (at < 0) throw new UsageError(`invalid option -- '${letter}'`);
          found.push(`-${letter}`);
          if (short[at + 1] !== ':') continue;
          found.push(quoted(i + 1 < word.length ? word.slice(i + 1) : (words.shift() ?? '')));
          break;
        }
      else rest.push(word);
    }
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    await process.stderr.write(`${get('n') ?? 'getopt'}: ${error.message}\n`);
    return 1;
  }
  await process.stdout.write(` ${[...found, '--', ...rest.map(quoted)].join(' ')}\n`);
  return 0;
};
