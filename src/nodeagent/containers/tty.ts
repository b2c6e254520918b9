import { createPipe, type Input, type Output } from './io.js';

/** A terminal's line discipline in cooked mode: what the kernel does between `kubectl exec -t` and the program. */
export interface Tty {
  /** What the program reads: whole lines. */
  readonly stdin: Input;
  /** What the program writes to; "\n" becomes "\r\n". */
  readonly output: Output;
  /** Keys as they come from the user. */
  type(data: Buffer): void;
  readonly hangUp: () => void;
}

const INTERRUPT = 3;
const END_OF_FILE = 4;
const BACKSPACE = 8;
const KILL_LINE = 21;
const DELETE = 127;

export function createTty(screen: Output, onInterrupt: () => void): Tty {
  const lines = createPipe();
  let line: number[] = [];
  const show = (text: string): void => {
    void Promise.resolve(screen.write(text)).catch(() => lines.closeWrite());
  };
  const submit = (): void => {
    void lines.write(Buffer.from(line));
    line = [];
  };
  return {
    stdin: lines,
    output: { write: data => screen.write(crlf(data)) },
    type(data) {
      for (const key of data) {
        if (key === INTERRUPT) {
          line = [];
          show('^C\r\n');
          onInterrupt();
        } else if (key === END_OF_FILE) {
          if (line.length === 0) lines.closeWrite();
          else submit();
        } else if (key === BACKSPACE || key === DELETE) {
          if (line.pop() !== undefined) show('\b \b');
        } else if (key === KILL_LINE) {
          show('\b \b'.repeat(line.length));
          line = [];
        } else if (key === 13 || key === 10) {
          show('\r\n');
          line.push(10);
          submit();
        } else {
          line.push(key);
          if (key >= 32) show(String.fromCharCode(key));
        }
      }
    },
    hangUp: () => lines.closeWrite(),
  };
}

function crlf(data: string | Buffer): Buffer {
  const bytes = Buffer.from(data);
  if (!bytes.includes(10)) return bytes;
  const out: number[] = [];
  for (const [i, byte] of bytes.entries()) {
    if (byte === 10 && bytes[i - 1] !== 13) out.push(13);
    out.push(byte);
  }
  return Buffer.from(out);
}
