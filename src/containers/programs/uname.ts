import type { Program } from '../process.js';
import { parseOptions } from './options.js';

export const machineName = (): string => (globalThis.process.arch === 'arm64' ? 'aarch64' : 'x86_64');

/** uname [-amnrspvio] */
export const uname: Program = async process => {
  const options = parseOptions(process.args.slice(1), { short: 'asnrvmpio', long: { all: 'a' } });
  const all: readonly (readonly [string, string])[] = [
    ['s', 'Linux'],
    ['n', process.container.hostname],
    ['r', '6.1.0-kubette'],
    ['v', '#1 SMP'],
    ['m', machineName()],
    ['p', 'unknown'],
    ['i', 'unknown'],
    ['o', 'GNU/Linux'],
  ];
  const some = all.some(([letter]) => options.has(letter));
  const shown = all.filter(([letter]) =>
    options.has('a') ? letter !== 'p' && letter !== 'i' : options.has(letter) || (!some && letter === 's'),
  );
  await process.stdout.write(`${shown.map(([, value]) => value).join(' ')}\n`);
  return 0;
};

export const arch: Program = async process => (await process.stdout.write(`${machineName()}\n`), 0);
