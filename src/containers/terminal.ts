import type { Input, Output } from './io.js';
import type { SignalName } from './signals.js';

/** A terminal as a program uses it. */
export interface Terminal {
  readonly columns: number;
  readonly rows: number;
  /** Raw: keys go to the program as they come, without echo and without signals. Cooked: whole lines. */
  setRaw(raw: boolean): void;
  /** Returns the remover. */
  onResize(listener: () => void): () => void;
}

/** A terminal's line discipline: what the kernel does between `kubectl exec -t` and the program. */
export interface Tty extends Terminal {
  readonly stdin: Input;
  /** What the program writes to; "\n" becomes "\r\n". */
  readonly output: Output;
  /** Keys as they come from the user. Resolves when their echo has been taken. */
  type(data: Buffer): Promise<void>;
  resize(columns: number, rows: number): void;
  readonly hangUp: () => void;
}

const INTERRUPT = 3;
const END_OF_FILE = 4;
const BACKSPACE = 8;
const KILL_LINE = 21;
const KILL_WORD = 23;
const SUSPEND = 26;
const QUIT = 28;
const DELETE = 127;
const SIGNALS: Readonly<Record<number, readonly [SignalName, string]>> = {
  [INTERRUPT]: ['INT', '^C'],
  [QUIT]: ['QUIT', '^\\'],
};
/** As N_TTY: what a program has not read; more is dropped. */
const BUFFER = 4096;

export function createTty(screen: Output, onSignal: (name: SignalName) => void): Tty {
  let waiting: Buffer[] = [];
  let unread = 0;
  let ended = false;
  let raw = false;
  let line: number[] = [];
  let wake: () => void = () => undefined;
  const resized = new Set<() => void>();
  const size = { columns: 80, rows: 24 };

  const submit = (data: Buffer): void => {
    if (unread + data.length > BUFFER) return;
    waiting.push(data);
    unread += data.length;
    wake();
  };
  const end = (): void => {
    ended = true;
    wake();
  };
  /** One key in cooked mode; what it shows. */
  const cook = (key: number): string => {
    const signal = SIGNALS[key];
    if (signal !== undefined) {
      line = [];
      onSignal(signal[0]);
      return `${signal[1]}\r\n`;
    }
    switch (key) {
      case SUSPEND:
        // There is no job control to give the terminal back to.
        return '';
      case END_OF_FILE:
        if (line.length > 0) submit(Buffer.from(line));
        else {
          // One reader sees the end; the terminal stays.
          waiting.push(Buffer.alloc(0));
          wake();
        }
        line = [];
        return '';
      case BACKSPACE:
      case DELETE:
        return line.pop() === undefined ? '' : '\b \b';
      case KILL_LINE: {
        const shown = '\b \b'.repeat(line.length);
        line = [];
        return shown;
      }
      case KILL_WORD: {
        let count = 0;
        while (line.at(-1) === 32) count += line.pop() === undefined ? 0 : 1;
        while (line.length > 0 && line.at(-1) !== 32) count += line.pop() === undefined ? 0 : 1;
        return '\b \b'.repeat(count);
      }
      case 10:
      case 13:
        submit(Buffer.from([...line, 10]));
        line = [];
        return '\r\n';
      default:
        if (line.length >= BUFFER - 1) return '';
        line.push(key);
        return key >= 32 ? String.fromCharCode(key) : '';
    }
  };
  return {
    get columns() {
      return size.columns;
    },
    get rows() {
      return size.rows;
    },
    setRaw(on) {
      raw = on;
      if (on && line.length > 0) submit(Buffer.from(line));
      if (on) line = [];
    },
    onResize(listener) {
      resized.add(listener);
      return () => void resized.delete(listener);
    },
    stdin: {
      description: '/dev/pts/0',
      async read(signal) {
        while (waiting.length === 0 && !ended)
          await new Promise<void>((resolve, reject) => {
            if (signal?.aborted === true) return reject(signal.reason as Error);
            const abort = (): void => reject(signal?.reason as Error);
            signal?.addEventListener('abort', abort, { once: true });
            wake = () => {
              signal?.removeEventListener('abort', abort);
              resolve();
            };
          });
        const chunk = waiting.shift();
        unread -= chunk?.length ?? 0;
        return chunk === undefined || chunk.length === 0 ? undefined : chunk;
      },
    },
    output: { write: data => screen.write(crlf(data)), description: '/dev/pts/0' },
    async type(data) {
      let shown = '';
      let plain: number[] = [];
      for (const key of data)
        if (raw) plain.push(key);
        else {
          if (plain.length > 0) submit(Buffer.from(plain));
          plain = [];
          shown += cook(key);
        }
      if (plain.length > 0) submit(Buffer.from(plain));
      if (shown !== '') await screen.write(Buffer.from(shown, 'latin1'));
    },
    resize(columns, rows) {
      if (!(columns > 0 && rows > 0)) return;
      Object.assign(size, { columns, rows });
      for (const listener of resized) listener();
    },
    hangUp: () => {
      waiting = waiting.filter(chunk => chunk.length > 0);
      end();
    },
  };
}

function crlf(data: string | Buffer): Buffer {
  const bytes = Buffer.from(data);
  let newlines = 0;
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) if (bytes[at - 1] !== 13) newlines++;
  if (newlines === 0) return bytes;
  const out = Buffer.alloc(bytes.length + newlines);
  let to = 0;
  for (const [i, byte] of bytes.entries()) {
    if (byte === 10 && bytes[i - 1] !== 13) out[to++] = 13;
    out[to++] = byte;
  }
  return out;
}
