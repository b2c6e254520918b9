import { FileError, resolvePath } from '../file-system.js';
import type { Process, Program } from '../process.js';
import { writerOf } from '../spawn.js';
import { humanSize, parseCount } from './counts.js';
import { openInput } from './each-input.js';

/** Blocks larger than this are no blocks. */
const MAX_BLOCK = 64 * 1024 * 1024;

/** Reads in the blocks that dd asks for, whatever pieces the input comes in. */
function blockReader(process: Process, input: Process['stdin']) {
  let rest: Buffer = Buffer.alloc(0);
  let ended = false;
  return async (size: number, full: boolean): Promise<Buffer> => {
    const parts: Buffer[] = [];
    let have = 0;
    while (have < size) {
      if (rest.length === 0 && !ended) {
        const chunk = await input.read(process.signal);
        if (chunk === undefined) ended = true;
        else rest = chunk;
      }
      if (rest.length === 0) break;
      const piece = rest.subarray(0, size - have);
      rest = rest.subarray(piece.length);
      parts.push(piece);
      have += piece.length;
      if (!full && rest.length === 0 && have > 0 && input === process.stdin) break;
    }
    return parts.length === 1 ? (parts[0] ?? Buffer.alloc(0)) : Buffer.concat(parts);
  };
}

/** dd [if=] [of=] [bs=] [ibs=] [obs=] [count=] [skip=] [seek=] [conv=notrunc|noerror|sync|fsync] [status=none|noxfer] [iflag=] [oflag=append] */
export const dd: Program = async process => {
  const options = new Map<string, string>();
  for (const word of process.args.slice(1)) {
    const equals = word.indexOf('=');
    const name = word.slice(0, Math.max(0, equals));
    if (!['if', 'of', 'bs', 'ibs', 'obs', 'count', 'skip', 'seek', 'conv', 'status', 'iflag', 'oflag'].includes(name)) {
      await process.stderr.write(`dd: unrecognized operand '${word}'\n`);
      return 1;
    }
    options.set(name, word.slice(equals + 1));
  }
  const { files, clock } = process.container;
  const started = clock.monotonic();
  const number = (name: string, otherwise: number): number =>
    options.has(name) ? parseCount(options.get(name) ?? '') : otherwise;
  const block = number('bs', number('ibs', 512));
  const output = number('bs', number('obs', 512));
  if (block < 1 || block > MAX_BLOCK) throw new Error('invalid number');
  process.memory.add(block);
  const conversions = (options.get('conv') ?? '').split(',');
  const source = options.get('if');
  const target = options.get('of');
  const say = (text: string): void | Promise<void> => process.stderr.write(`dd: ${text}\n`);
  let input = process.stdin;
  if (source !== undefined)
    try {
      input = await openInput(process, source);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      await say(`can't open '${source}': ${error.message}`);
      return 1;
    }
  let out = process.stdout;
  if (target !== undefined)
    try {
      const at = number('seek', 0) * output;
      const append = (options.get('oflag') ?? '').includes('append');
      const keep = conversions.includes('notrunc') || append;
      const path = resolvePath(process.cwd, target);
      if (!keep && at > 0 && ((await files.stat(path))?.size ?? 0) > at) await files.truncate(path, at);
      out = writerOf(await files.openWrite(path, append ? { append } : keep || at > 0 ? { at } : {}), process.turn);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      await say(`can't open '${target}': ${error.message}`);
      return 1;
    }
  const read = blockReader(process, input);
  const full = (options.get('iflag') ?? '').includes('fullblock');
  for (let left = number('skip', 0); left > 0; left--) if ((await read(block, true)).length === 0) break;
  const counts = { fullIn: 0, partIn: 0, fullOut: 0, partOut: 0, bytes: 0 };
  let status = 0;
  for (let left = number('count', Infinity); left > 0; left--) {
    const data = await read(block, full);
    if (data.length === 0) break;
    if (data.length === block) counts.fullIn++;
    else counts.partIn++;
    const padded =
      conversions.includes('sync') && data.length < block
        ? Buffer.concat([data, Buffer.alloc(block - data.length)])
        : data;
    try {
      await out.write(padded);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      await say(`error writing '${target ?? 'standard output'}': ${error.message}`);
      status = 1;
      break;
    }
    counts.bytes += padded.length;
    if (options.has('bs')) {
      if (padded.length === block) counts.fullOut++;
      else counts.partOut++;
    }
  }
  if (!options.has('bs')) {
    counts.fullOut = Math.floor(counts.bytes / output);
    counts.partOut = counts.bytes % output > 0 ? 1 : 0;
  }
  if (options.get('status') !== 'none') {
    await process.stderr.write(
      `${counts.fullIn}+${counts.partIn} records in\n${counts.fullOut}+${counts.partOut} records out\n`,
    );
    const seconds = Math.max(0.000001, (clock.monotonic() - started) / 1000);
    if (options.get('status') !== 'noxfer')
      await process.stderr.write(
        `${counts.bytes} bytes (${humanSize(counts.bytes)}B) copied, ${seconds.toFixed(6)} seconds, ${humanSize(Math.round(counts.bytes / seconds))}B/s\n`,
      );
  }
  return status;
};
