import { createReadStream } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../machinery/clock.js';

/** Where `up` keeps what its parts say: a file each. */
export const logFolder = (dataDir: string): string => join(dataDir, 'logs');
export const logFile = (dataDir: string, component: string): string =>
  join(logFolder(dataDir), `${component.replace('node-agent ', '')}.log`);

const POLL_MS = 200;

/** Components that there are logs of: "apiserver", "node-1", …. */
export async function loggedComponents(dataDir: string): Promise<string[]> {
  try {
    return (await readdir(logFolder(dataDir)))
      .filter(name => name.endsWith('.log'))
      .map(name => name.slice(0, -'.log'.length))
      .sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Writes a file's text in pieces; `from` bytes on. @returns where it ended */
async function copy(path: string, from: number, write: (text: string) => void): Promise<number> {
  const { size } = await stat(path);
  // It was begun anew.
  const start = size < from ? 0 : from;
  if (size === start) return start;
  const stream = createReadStream(path, { start, end: size - 1, encoding: 'utf8' });
  for await (const text of stream) write(text as string);
  return size;
}

/** What a part has said, and with `follow` what it says from now on, until the signal. */
export async function printLog(
  path: string,
  {
    clock,
    follow,
    signal,
    write,
  }: { clock: Clock; follow: boolean; signal: AbortSignal; write: (text: string) => void },
): Promise<void> {
  let at = await copy(path, 0, write);
  while (follow && !signal.aborted) {
    await clock.sleep(POLL_MS, signal).catch(() => undefined);
    if (!signal.aborted) at = await copy(path, at, write);
  }
}

/** A file that lines are appended to, and which begins anew at a size. */
export interface LogFile {
  write(line: string): void;
  close(): Promise<void>;
}

const MAX_BYTES = 16 * 1024 * 1024;

export async function openLog(path: string, maxBytes = MAX_BYTES): Promise<LogFile> {
  const file = await open(path, 'a', 0o600);
  let size = (await file.stat()).size;
  let writing = Promise.resolve();
  return {
    write(line) {
      const bytes = Buffer.from(`${line}\n`);
      writing = writing.then(async () => {
        if (size + bytes.length > maxBytes) {
          await file.truncate(0);
          size = 0;
        }
        await file.appendFile(bytes);
        size += bytes.length;
      });
    },
    async close() {
      await writing;
      await file.close();
    },
  };
}
