import type { Process, Program } from '../process.js';
import { ForkError } from '../spawn.js';
import { asText, eachLine, fromBytes } from './lines.js';
import { parseOptions } from './options.js';
import { startOther } from './run-other.js';

/** Words as xargs cuts them: blanks apart, quotes and backslashes taken off. */
async function* words(process: Process): AsyncGenerator<string> {
  let word: string | undefined;
  let quote = '';
  let escaped = false;
  for (
    let chunk = await process.stdin.read(process.signal);
    chunk !== undefined;
    chunk = await process.stdin.read(process.signal)
  ) {
    for (const c of fromBytes(chunk)) {
      if (escaped) {
        word = (word ?? '') + c;
        escaped = false;
      } else if (quote !== '') {
        if (c === quote) quote = '';
        else word = (word ?? '') + c;
      } else if (c === '\\') escaped = true;
      else if (c === '"' || c === "'") {
        quote = c;
        word ??= '';
      } else if (c === ' ' || c === '\t' || c === '\n') {
        if (word !== undefined) yield asText(word);
        word = undefined;
      } else word = (word ?? '') + c;
    }
    if (word !== undefined) {
      process.memory.add(word.length);
      process.memory.remove(word.length);
    }
  }
  if (word !== undefined) yield asText(word);
}

const MAX_SIZE = 128 * 1024 - 2048;

/** xargs [-0rt] [-n COUNT] [-I WORD] [-P PROCESSES] [-s SIZE] [-d DELIMITER] [PROGRAM [ARGUMENT]...] */
export const xargs: Program = async process => {
  const options = parseOptions(process.args.slice(1), {
    short: 'n:I:rt0P:s:L:d:xpe:E:',
    long: { null: '0', 'no-run-if-empty': 'r', 'max-args': 'n:', 'max-procs': 'P:', delimiter: 'd:' },
    stopAtOperand: true,
  });
  const command = options.operands.length === 0 ? ['echo'] : [...options.operands];
  const replace = options.get('I');
  const size = replace === undefined ? Number(options.get('n') ?? options.get('L') ?? Infinity) : 1;
  const parallel = Math.max(1, Math.min(64, Number(options.get('P') ?? 1) || 64));
  const maxSize = Math.min(MAX_SIZE, Number(options.get('s') ?? MAX_SIZE));
  const running = new Set<Promise<void>>();
  let status = 0;
  let stop = false;
  const run = async (group: readonly string[]): Promise<void> => {
    const args =
      replace === undefined ? [...command, ...group] : command.map(c => c.replaceAll(replace, group[0] ?? ''));
    if (options.has('t')) await process.stderr.write(`${args.join(' ')}\n`);
    while (running.size >= parallel) await Promise.race(running);
    const child = await startOther(process, args).catch((error: unknown) => {
      if (!(error instanceof ForkError)) throw error;
      throw new Error(error.message);
    });
    if (child === undefined) {
      status = 127;
      stop = true;
      return;
    }
    const done = child.exited.then(code => {
      // As of a signal: whoever reads what it writes may be gone.
      if (code >= 128) stop = true;
      if (code !== 0) status = code === 255 ? 124 : code >= 128 ? 125 : code >= 126 ? code : 123;
      running.delete(done);
    });
    running.add(done);
    if (parallel === 1) await done;
  };
  let group: string[] = [];
  let length = 0;
  let any = false;
  const add = async (item: string): Promise<void> => {
    if (group.length > 0 && (group.length >= size || length + item.length > maxSize)) {
      await run(group);
      group = [];
      length = 0;
    }
    any = true;
    group.push(item);
    length += item.length + 1;
    if (group.length >= size) {
      await run(group);
      group = [];
      length = 0;
    }
  };
  const delimiter = options.has('0') ? '\0' : options.get('d');
  if (replace !== undefined || delimiter !== undefined)
    await eachLine(
      process,
      process.stdin,
      async line => {
        const item = replace === undefined ? line : line.trimStart();
        if (item !== '' || delimiter !== undefined) await add(asText(item));
        return stop ? 'stop' : undefined;
      },
      undefined,
      delimiter?.slice(0, 1) ?? '\n',
    );
  else
    for await (const word of words(process)) {
      await add(word);
      if (stop) break;
    }
  if (!stop && (group.length > 0 || (!any && !options.has('r') && replace === undefined))) await run(group);
  await Promise.all(running);
  return status;
};
