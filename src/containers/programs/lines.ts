import type { Input, Output } from '../io.js';
import type { Process } from '../process.js';

/** Programs that work on text see bytes, as they do in the C locale: a character per byte, nothing lost on the way. */
export const fromBytes = (bytes: Buffer): string => bytes.toString('latin1');
export const toBytes = (text: string): Buffer => Buffer.from(text, 'latin1');
/** An argument as the same bytes. */
export const asBytes = (argument: string): string => Buffer.from(argument, 'utf8').toString('latin1');
/** Bytes as text again, for file names and messages. */
export const asText = (bytes: string): string => Buffer.from(bytes, 'latin1').toString('utf8');

const FLUSH_AT = 32 * 1024;

/** Output that is gathered into larger writes. Whoever uses it flushes before it waits for anything else. */
export class TextOutput {
  private parts: string[] = [];
  private size = 0;

  constructor(private readonly output: Output) {}

  /** A promise is to be awaited: there is no room for more. */
  write(text: string): Promise<void> | undefined {
    this.parts.push(text);
    this.size += text.length;
    return this.size >= FLUSH_AT ? this.flush() : undefined;
  }
  async flush(): Promise<void> {
    if (this.size === 0) return;
    const data = toBytes(this.parts.join(''));
    this.parts = [];
    this.size = 0;
    await this.output.write(data);
  }
}

export type LineHandler = (line: string, terminated: boolean) => 'stop' | void | Promise<'stop' | void>;

const LINES_PER_TURN = 32;

/**
 * Calls back with every line of an input as it comes; a line that never ends counts as the process's memory. Flushes
 * `out` whenever it would have to wait for more. True: it was stopped.
 */
export async function eachLine(
  process: Process,
  input: Input,
  handle: LineHandler,
  out?: TextOutput,
  delimiter = '\n',
): Promise<boolean> {
  let parts: string[] = [];
  let held = 0;
  let count = 0;
  const release = (): void => {
    process.memory.remove(held);
    held = 0;
    parts = [];
  };
  const call = async (line: string, terminated: boolean): Promise<boolean> =>
    (await handle(line, terminated)) === 'stop';
  try {
    for (let chunk = await input.read(process.signal); chunk !== undefined; chunk = await input.read(process.signal)) {
      const text = fromBytes(chunk);
      let at = 0;
      for (let end = text.indexOf(delimiter); end >= 0; end = text.indexOf(delimiter, at)) {
        let line = text.slice(at, end);
        if (parts.length > 0) {
          parts.push(line);
          line = parts.join('');
          release();
        }
        at = end + 1;
        const result = handle(line, true);
        if (result === 'stop' || (result !== undefined && (await result) === 'stop')) return true;
        if (++count % LINES_PER_TURN === 0) {
          const wait = process.turn();
          if (wait !== undefined) await wait;
        }
      }
      if (at < text.length) {
        parts.push(text.slice(at));
        held += text.length - at + 64;
        process.memory.add(text.length - at + 64);
      }
      await out?.flush();
    }
    if (parts.length > 0) return await call(parts.join(''), false);
    return false;
  } finally {
    if (held > 0) release();
    await out?.flush();
  }
}

/** Lines kept in memory, which the process pays for. */
export class HeldLines {
  readonly lines: string[] = [];
  private held = 0;

  constructor(private readonly process: Process) {}

  push(line: string): void {
    const bytes = line.length + 48;
    this.held += bytes;
    this.process.memory.add(bytes);
    this.lines.push(line);
  }
  release(): void {
    this.process.memory.remove(this.held);
    this.held = 0;
  }
}

/** All lines of some files, held. */
export async function holdLines(process: Process, input: Input, into: HeldLines): Promise<void> {
  await eachLine(process, input, line => into.push(line));
}

/** All of an input, which the process pays for. */
export async function holdAll(process: Process, input: Input): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let chunk = await input.read(process.signal); chunk !== undefined; chunk = await input.read(process.signal)) {
    process.memory.add(chunk.length);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
