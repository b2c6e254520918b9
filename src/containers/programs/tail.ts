import { resolvePath } from '../file-system.js';
import type { Input } from '../io.js';
import type { Process, Program } from '../process.js';
import { parseCount } from './counts.js';
import { forEachInput } from './each-input.js';
import { countOptions, titles } from './head.js';
import { eachLine, TextOutput } from './lines.js';

/** tail [-n [+]LINES|-c [+]BYTES] [-f|-F] [-s SECONDS] [-q|-v] [FILE...] */
export const tail: Program = async process => {
  const options = countOptions(process, 'n:c:fFqvs:');
  const bytes = options.get('c');
  const given = (bytes ?? options.get('n') ?? '10').replace(/^-/, '');
  const count = parseCount(given.replace(/^\+/, ''));
  const fromStart = given.startsWith('+');
  const title = titles(options);
  const status = await forEachInput(process, options.operands, async (input, name) => {
    const out = new TextOutput(process.stdout);
    await out.write(title(name));
    await out.flush();
    if (bytes !== undefined) return fromStart ? bytesFrom(process, input, count) : lastBytes(process, input, count);
    if (fromStart) return linesFrom(process, input, count, out);
    return lastLines(process, input, count, out);
  });
  if (options.has('f') || options.has('F')) await follow(process, options.operands);
  return status;
};

async function bytesFrom(process: Process, input: Input, first: number): Promise<void> {
  let skip = Math.max(0, first - 1);
  for (let chunk = await input.read(process.signal); chunk !== undefined; chunk = await input.read(process.signal)) {
    if (skip < chunk.length) await process.stdout.write(chunk.subarray(skip));
    skip = Math.max(0, skip - chunk.length);
  }
}

async function lastBytes(process: Process, input: Input, count: number): Promise<void> {
  const chunks: Buffer[] = [];
  let size = 0;
  for (let chunk = await input.read(process.signal); chunk !== undefined; chunk = await input.read(process.signal)) {
    chunks.push(chunk);
    size += chunk.length;
    process.memory.add(chunk.length);
    while (size - (chunks[0]?.length ?? 0) >= count) {
      const gone = chunks.shift()?.length ?? 0;
      size -= gone;
      process.memory.remove(gone);
      if (chunks.length === 0) break;
    }
  }
  const all = Buffer.concat(chunks);
  await process.stdout.write(all.subarray(Math.max(0, all.length - count)));
}

async function linesFrom(process: Process, input: Input, first: number, out: TextOutput): Promise<void> {
  let number = 0;
  await eachLine(
    process,
    input,
    (line, terminated) => {
      return ++number >= first ? out.write(terminated ? `${line}\n` : line) : undefined;
    },
    out,
  );
}

/** The last lines in a ring: an endless input takes no more than they do. */
async function lastLines(process: Process, input: Input, count: number, out: TextOutput): Promise<void> {
  const ring: string[] = [];
  let next = 0;
  await eachLine(process, input, (line, terminated) => {
    if (count === 0) return;
    const text = terminated ? `${line}\n` : line;
    const old = ring.length < count ? undefined : ring[next];
    process.memory.add(text.length + 48 - (old === undefined ? 0 : old.length + 48));
    ring[next] = text;
    next = (next + 1) % count;
  });
  const ordered = ring.length < count ? ring : [...ring.slice(next), ...ring.slice(0, next)];
  for (const text of ordered) await out.write(text);
  await out.flush();
}

/** Prints what is appended, looking once a second. Ends with the process. */
async function follow(process: Process, names: readonly string[]): Promise<void> {
  const { files, clock } = process.container;
  const size = async (path: string): Promise<number> => (await files.stat(path))?.size ?? 0;
  const paths = names.filter(name => name !== '-').map(name => resolvePath(process.cwd, name));
  const seen = new Map<string, number>();
  for (const path of paths) seen.set(path, await size(path));
  for (;;) {
    await clock.sleep(1000, process.signal);
    for (const path of paths) {
      const length = await size(path);
      const old = seen.get(path) ?? 0;
      if (length > old) await process.stdout.write((await files.read(path)).subarray(old));
      seen.set(path, length);
    }
  }
}
