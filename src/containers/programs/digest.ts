import { createHash } from 'node:crypto';
import type { Process, Program } from '../process.js';
import { forEachInput, openInput } from './each-input.js';
import { fromBytes, holdAll } from './lines.js';
import { parseOptions } from './options.js';

async function digestOf(process: Process, input: Process['stdin'], algorithm: string): Promise<string> {
  const hash = createHash(algorithm);
  for (let chunk = await input.read(process.signal); chunk !== undefined; chunk = await input.read(process.signal))
    hash.update(chunk);
  return hash.digest('hex');
}

/** NAMEsum [-c] [-s] [FILE...] */
const digest =
  (algorithm: string): Program =>
  async process => {
    const { operands, has } = parseOptions(process.args.slice(1), {
      short: 'csbtw',
      long: { check: 'c', status: 's' },
    });
    if (has('c')) return check(process, operands[0] ?? '-', algorithm, has('s'));
    return forEachInput(
      process,
      operands,
      async (input, name) => {
        await process.stdout.write(`${await digestOf(process, input, algorithm)}  ${name}\n`);
      },
      (name, error) => `can't open '${name}': ${error.message}`,
    );
  };

async function check(process: Process, list: string, algorithm: string, quiet: boolean): Promise<number> {
  const source = list === '-' ? process.stdin : await openInput(process, list);
  let failed = 0;
  let count = 0;
  for (const line of fromBytes(await holdAll(process, source)).split('\n')) {
    const [, wanted, name] = /^([0-9a-f]{32,128}) [ *](.+)$/.exec(line) ?? [];
    if (wanted === undefined || name === undefined) continue;
    count++;
    const same = (await digestOf(process, await openInput(process, name), algorithm)) === wanted;
    if (!same) failed++;
    if (!quiet) await process.stdout.write(`${name}: ${same ? 'OK' : 'FAILED'}\n`);
  }
  if (failed > 0 && !quiet)
    await process.stderr.write(
      `${process.args[0] ?? ''}: WARNING: ${failed} of ${count} computed checksums did NOT match\n`,
    );
  return failed > 0 ? 1 : 0;
}

export const md5sum = digest('md5');
export const sha1sum = digest('sha1');
export const sha256sum = digest('sha256');
export const sha512sum = digest('sha512');
export const sha3sum = digest('sha3-224');
