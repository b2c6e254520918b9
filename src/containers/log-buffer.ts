import type { Clock } from '../machinery/clock.js';

export interface LogOptions {
  readonly tailLines?: number;
  /** Only lines written at or after this time, clock milliseconds. */
  readonly since?: number;
  readonly timestamps?: boolean;
  readonly limitBytes?: number;
  /** Goes on until the container ends or the signal aborts. */
  readonly follow?: boolean;
  readonly stream?: 'stdout' | 'stderr';
  readonly signal?: AbortSignal;
}

interface Line {
  readonly time: number;
  readonly stream: 'stdout' | 'stderr';
  text: string;
  complete: boolean;
}

/** What one run of a container wrote, the last of it. */
export interface LogBuffer {
  /** Bytes that have ever been written. */
  readonly written: number;
  write(stream: 'stdout' | 'stderr', data: string | Buffer): void;
  /** The container has ended: followers get the rest and stop. */
  close(): void;
  read(options: LogOptions): AsyncGenerator<string>;
  /** The last `bytes` bytes, for the termination message. */
  tail(lines: number, bytes: number): string;
}

/** The kubelet rotates at 10 MiB; a simulated node keeps less. */
const MAX_BYTES = 512 * 1024;
/** What a line weighs beside its text: logs of empty lines are bounded too. */
const LINE_BYTES = 32;
const MAX_LINE = 16 * 1024;

/** RFC 3339 with nine digits, as container runtimes stamp log lines. */
const stamp = (ms: number): string => `${new Date(ms).toISOString().slice(0, 23)}000000Z`;

export function createLogBuffer(clock: Clock, maxBytes = MAX_BYTES): LogBuffer {
  let lines: Line[] = [];
  /** Lines dropped from the front, so that a follower knows where it is. */
  let dropped = 0;
  let bytes = 0;
  let closed = false;
  let written = 0;
  const waiting = new Set<() => void>();

  const wakeAll = (): void => {
    for (const wake of waiting) wake();
    waiting.clear();
  };
  const append = (stream: Line['stream'], text: string, complete: boolean): void => {
    const last = lines.at(-1);
    if (last?.complete === false && last.stream === stream && last.text.length < MAX_LINE) {
      last.text += text;
      last.complete = complete;
    } else {
      lines.push({ time: clock.now(), stream, text, complete });
      bytes += LINE_BYTES;
    }
    bytes += text.length;
    if (bytes <= maxBytes) return;
    let cut = 0;
    while (bytes > maxBytes / 2 && cut < lines.length - 1) bytes -= (lines[cut++]?.text.length ?? 0) + LINE_BYTES;
    lines = lines.slice(cut);
    dropped += cut;
  };

  return {
    get written() {
      return written;
    },
    write(stream, data) {
      written += data.length;
      if (closed) return;
      let text = data.toString('utf8');
      // Of one very long write only the end would be left anyway.
      if (text.length > maxBytes) text = text.slice(-maxBytes);
      const parts = text.split('\n');
      parts.forEach((part, i) => {
        const complete = i < parts.length - 1;
        for (let at = 0; part.length - at > MAX_LINE; at += MAX_LINE)
          append(stream, part.slice(at, at + MAX_LINE), false);
        const rest = part.slice(Math.floor(Math.max(0, part.length - 1) / MAX_LINE) * MAX_LINE);
        if (rest !== '' || complete) append(stream, complete ? `${rest}\n` : rest, complete);
      });
      wakeAll();
    },
    close() {
      closed = true;
      wakeAll();
    },
    tail(count, limit) {
      const text = lines
        .slice(-count)
        .map(line => line.text)
        .join('');
      return text.length > limit ? text.slice(-limit) : text;
    },
    async *read({ tailLines, since, timestamps, limitBytes = Infinity, follow, stream, signal }) {
      const wanted = (line: Line): boolean =>
        (since === undefined || line.time >= since) && (stream === undefined || line.stream === stream);
      let next = dropped;
      if (tailLines !== undefined) {
        let left = tailLines;
        next = dropped + lines.length;
        for (let i = lines.length - 1; i >= 0 && left > 0; i--) {
          const line = lines[i];
          if (line !== undefined && wanted(line)) left--;
          next = dropped + i;
        }
      }
      let budget = limitBytes;
      /** Characters of an unfinished last line already given out. */
      let given = 0;
      for (;;) {
        next = Math.max(next, dropped);
        for (let line = lines[next - dropped]; line !== undefined; line = lines[next - dropped]) {
          const rest = line.text.slice(given);
          if (wanted(line) && rest !== '') {
            const text = given === 0 && timestamps === true ? `${stamp(line.time)} ${rest}` : rest;
            const allowed = text.slice(0, budget);
            budget -= allowed.length;
            if (allowed !== '') yield allowed;
            if (budget <= 0) return;
          }
          const isLast = next - dropped === lines.length - 1;
          if (!line.complete && isLast) {
            given = line.text.length;
            break;
          }
          given = 0;
          next++;
        }
        if (follow !== true || closed || signal?.aborted === true) return;
        await new Promise<void>(resolve => {
          const wake = (): void => {
            signal?.removeEventListener('abort', wake);
            resolve();
          };
          waiting.add(wake);
          signal?.addEventListener('abort', wake, { once: true });
        });
      }
    },
  };
}
