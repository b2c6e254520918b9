import type { Process } from '../../process.js';
import { parseDuration } from '../../../machinery/duration.js';

/** A flag's value on the command line, as pflag reads it: "--name=value", "--name value", or "--name" for true. */
export interface Flags {
  text(name: string, fallback: string): string;
  /** @throws Error when it is no whole number */
  number(name: string, fallback: number): number;
  bool(name: string, fallback: boolean): boolean;
  /** A Go duration, in milliseconds. @throws Error */
  duration(name: string, fallbackMs: number): number;
  /** What is no flag. */
  readonly operands: readonly string[];
}

/** One subcommand of the image: its process and its flags. Resolves with the exit status. */
export type Subcommand = (process: Process, flags: Flags) => Promise<number>;

const SHORT: Readonly<Record<string, string>> = { t: 'log-lines-total', d: 'run-duration' };
/** Flags that take no value unless it is written with "=". */
const BOOLEAN = new Set([
  'tcp',
  'udp',
  'http',
  'close',
  'json-response',
  'break_on_expected_content',
  'delay-unhealthy',
]);

export function parseFlags(args: readonly string[]): Flags {
  const values = new Map<string, string>();
  const operands: string[] = [];
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    const [, dashes = '', raw = '', equals, value = ''] = /^(--?)([^=]+)(?:(=)(.*))?$/s.exec(arg) ?? [];
    if (dashes === '') {
      operands.push(arg);
      continue;
    }
    const name = dashes === '-' ? (SHORT[raw] ?? raw) : raw;
    if (equals !== undefined) values.set(name, value);
    else if (BOOLEAN.has(name)) values.set(name, 'true');
    else values.set(name, rest.shift() ?? '');
  }
  const bad = (name: string, value: string, what: string): Error =>
    new Error(`invalid argument "${value}" for "--${name}" flag: ${what}`);
  return {
    operands,
    text: (name, fallback) => values.get(name) ?? fallback,
    number(name, fallback) {
      const value = values.get(name);
      if (value === undefined) return fallback;
      if (!/^-?\d+$/.test(value)) throw bad(name, value, `strconv.ParseInt: parsing "${value}": invalid syntax`);
      return Number(value);
    },
    bool: (name, fallback) => (values.has(name) ? /^(1|t|true)$/i.test(values.get(name) ?? '') : fallback),
    duration(name, fallbackMs) {
      const value = values.get(name);
      if (value === undefined) return fallbackMs;
      const ms = parseDuration(value);
      if (ms === undefined) throw bad(name, value, `time: invalid duration "${value}"`);
      return ms;
    },
  };
}

/** A line of Go's log package. */
export function logLine({ container, stderr, signal }: Process, text: string): void {
  const time = new Date(container.clock.now()).toISOString();
  const line = `${time.slice(0, 10).replace(/-/g, '/')} ${time.slice(11, 19)} ${text}\n`;
  const write = async (): Promise<void> => stderr.write(line);
  write().catch((error: unknown) => {
    // Who is killed while the line waits for its turn says no more.
    if (!signal.aborted) throw error;
  });
}
