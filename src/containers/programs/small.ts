import { machineSize } from './machine-size.js';
import type { Program } from '../process.js';

/** Programs of a line each. */
export const succeed: Program = async () => 0;
export const fail: Program = async () => 1;
export const pwd: Program = async process => (await process.stdout.write(`${process.cwd}\n`), 0);
export const nproc: Program = async process => (
  await process.stdout.write(`${await machineSize(process).then(size => size.cores)}\n`),
  0
);
export const clear: Program = async process => (await process.stdout.write('\x1b[H\x1b[J'), 0);
export const reset: Program = async process => (await process.stdout.write('\x1bc\x1b(B\x1b[m\x1b[J\x1b[?25h'), 0);
export const hostid: Program = async process => (await process.stdout.write('007f0101\n'), 0);
export const tty: Program = async process => {
  await process.stdout.write(process.tty ? '/dev/pts/0\n' : 'not a tty\n');
  return process.tty ? 0 : 1;
};
