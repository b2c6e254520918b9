import { createGunzip, createGzip } from 'node:zlib';
import { FileError, resolvePath } from '../file-system.js';
import type { Input } from '../io.js';
import type { Process, Program } from '../process.js';
import { writerOf } from '../spawn.js';
import { openInput } from './each-input.js';
import { parseOptions } from './options.js';
import { through } from './through.js';

const isDamage = (error: unknown): boolean => /^(Z_|ERR_)/.test((error as { code?: string }).code ?? '');

async function copy(process: Process, input: Input, write: (data: Buffer) => void | Promise<void>): Promise<void> {
  for (let chunk = await input.read(process.signal); chunk !== undefined; chunk = await input.read(process.signal)) {
    await process.turn(1 + (chunk.length >> 12));
    await write(chunk);
  }
}

/** gzip [-cdfktn123456789] [FILE...]; gunzip and zcat are it with -d and -dc. */
const zip =
  (always: { readonly decompress?: boolean; readonly stdout?: boolean }): Program =>
  async process => {
    const { operands, has } = parseOptions(process.args.slice(1), {
      short: 'cdfktnvq123456789',
      long: { stdout: 'c', decompress: 'd', uncompress: 'd', force: 'f', keep: 'k', test: 't', best: '9', fast: '1' },
    });
    const decompress = always.decompress === true || has('d') || has('t');
    const toStdout = always.stdout === true || has('c') || has('t');
    const level = [1, 2, 3, 4, 5, 6, 7, 8, 9].find(n => has(String(n))) ?? 6;
    const { files } = process.container;
    const name = process.args[0] ?? 'gzip';
    const stream = (input: Input): Input =>
      through(process, input, decompress ? createGunzip() : createGzip({ level }));
    const fail = async (text: string): Promise<number> => {
      await process.stderr.write(`${name}: ${text}\n`);
      return 1;
    };
    let status = 0;
    for (const given of operands.length === 0 ? ['-'] : operands)
      try {
        const path = resolvePath(process.cwd, given);
        const input = stream(given === '-' ? process.stdin : await openInput(process, given));
        if (given === '-' || toStdout) {
          await copy(process, input, data => (has('t') ? undefined : process.stdout.write(data)));
          continue;
        }
        if (decompress && !/\.(?:gz|tgz|Z)$/.test(given)) {
          status = await fail(`${given}: unknown suffix - ignored`);
          continue;
        }
        const target = decompress ? path.replace(/\.tgz$/, '.tar').replace(/\.(?:gz|Z)$/, '') : `${path}.gz`;
        if (files.kind(target) !== undefined && !has('f')) {
          status = await fail(`can't open '${target}': File exists`);
          continue;
        }
        const output = writerOf(await files.openWrite(target), process.turn);
        await copy(process, input, data => output.write(data));
        const mode = (await files.stat(path))?.mode;
        if (mode !== undefined) files.chmod(target, mode);
        if (!has('k')) files.remove(path);
      } catch (error) {
        if (error instanceof FileError) status = await fail(`${given}: ${error.message}`);
        else if (isDamage(error))
          status = await fail(
            (error as { code?: string }).code === 'Z_DATA_ERROR' ? 'invalid magic' : 'corrupted data',
          );
        else throw error;
      }
    return status;
  };

export const gzip = zip({});
export const gunzip = zip({ decompress: true });
export const zcat = zip({ decompress: true, stdout: true });
