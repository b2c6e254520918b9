import { createWriteStream, openSync, renameSync, type WriteStream } from 'node:fs';
import { readdir, stat, unlink } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import type { Clock } from '../../machinery/clock.js';
import type { AuditSink } from './auditor.js';
import { eventLine } from './raw-json.js';

/** When the log turns to a new file, and what becomes of the old ones. 0: no limit. */
export interface LogRotation {
  /** Bytes of a file. */
  readonly maxBytes: number;
  /** Old files kept. */
  readonly maxBackups: number;
  readonly maxAgeMs: number;
}

const FILE_MODE = 0o600;

/** `audit-2006-01-02T15-04-05.000.log` beside `audit.log`, as the log writer of kube-apiserver names them. */
function backupName(path: string, nowMs: number): string {
  const extension = extname(path);
  const stamp = new Date(nowMs).toISOString().replace(/:/g, '-').replace('Z', '');
  return join(dirname(path), `${basename(path, extension)}-${stamp}${extension}`);
}

async function removeOld(path: string, { maxBackups, maxAgeMs }: LogRotation, nowMs: number): Promise<void> {
  const extension = extname(path);
  const prefix = `${basename(path, extension)}-`;
  const names = (await readdir(dirname(path))).filter(name => name.startsWith(prefix) && name.endsWith(extension));
  // Their names sort by time.
  const backups = names.sort().reverse();
  for (const [i, name] of backups.entries()) {
    const file = join(dirname(path), name);
    const { mtimeMs } = await stat(file);
    const tooMany = maxBackups > 0 && i >= maxBackups;
    const tooOld = maxAgeMs > 0 && nowMs - mtimeMs > maxAgeMs;
    if (tooMany || tooOld) await unlink(file);
  }
}

/**
 * Appends lines of JSON to a file. Lines go out as fast as the disk takes them; what waits is bounded by the requests
 * under way. `onError` is told when a file cannot be written, turned or removed.
 * @throws Error when the file cannot be opened
 */
export async function createLogFile(
  path: string,
  rotation: LogRotation,
  clock: Clock,
  onError: (error: Error) => void,
): Promise<AuditSink> {
  let size = (await stat(path).catch(() => undefined))?.size ?? 0;
  const openStream = (): WriteStream => {
    // Opened at once: a file that is only opened later could be another one by then.
    const stream = createWriteStream(path, { fd: openSync(path, 'a', FILE_MODE) });
    stream.on('error', onError);
    return stream;
  };
  let stream = openStream();
  /** What is still going on with files that have been turned away from. */
  let ended: Promise<unknown> = Promise.resolve();

  const turn = (): void => {
    const nowMs = clock.now();
    try {
      // Lines that wait follow the open file to its new name.
      renameSync(path, backupName(path, nowMs));
    } catch (error) {
      return onError(error as Error);
    }
    const old = stream;
    const closed = new Promise<void>(resolve => old.once('close', resolve));
    old.end();
    stream = openStream();
    size = 0;
    ended = Promise.all([ended, closed, removeOld(path, rotation, nowMs).catch(onError)]);
  };

  return {
    write(event) {
      const line = eventLine(event);
      if (rotation.maxBytes > 0 && size > 0 && size + line.length > rotation.maxBytes) turn();
      size += line.length;
      stream.write(line);
    },
    async flush() {
      // The callback of a write comes after those before it, whether it failed or not.
      await Promise.all([ended, new Promise<void>(resolve => stream.write('', () => resolve()))]);
    },
  };
}
