import type { Program } from '../process.js';
import { parseOptions } from './options.js';
import { create } from './tar-parts/create.js';
import { extract } from './tar-parts/extract.js';

/** tar c|x|t [-zvmpOhok] [-f FILE] [-C DIR] [-T FILE] [--strip-components N] [--exclude PATTERN] [PATH...] */
export const tar: Program = async process => {
  const [, first = '', ...rest] = process.args;
  const args = first.startsWith('-') || first === '' ? [first, ...rest] : [`-${first}`, ...rest];
  const options = parseOptions(
    args.filter(arg => arg !== ''),
    {
      short: 'cxtzvmpPohOkaJjf:C:T:X:',
      long: {
        'no-same-owner': 'o',
        'no-same-permissions': 'o',
        'same-permissions': 'p',
        'preserve-permissions': 'p',
        'numeric-owner': 'o',
        'strip-components': 'strip:',
        directory: 'C:',
        file: 'f:',
        extract: 'x',
        create: 'c',
        list: 't',
        gzip: 'z',
        verbose: 'v',
        exclude: 'exclude:',
        overwrite: 'overwrite',
        warning: 'warning:',
        touch: 'm',
        dereference: 'h',
        'to-stdout': 'O',
      },
    },
  );
  if (options.has('J') || options.has('j')) {
    await process.stderr.write('tar: not simulated here: only gzip compression is\n');
    return 1;
  }
  if (options.has('c')) return create(process, options);
  if (options.has('x') || options.has('t')) return extract(process, options);
  await process.stderr.write('tar: must specify one of -c, -x, -t\n');
  return 1;
};
