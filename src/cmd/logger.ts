import { realClock } from '../machinery/clock.js';

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
type Level = (typeof LEVELS)[number];

/** What our processes say. */
export type Logger = Record<Level, (fields: object, message: string) => void>;

export interface LogSink {
  write(line: string): unknown;
  now(): number;
}

/**
 * Lines for people on stderr, named after the process; `level` is error, warn, info or debug. Of an error only the
 * message is printed, and with debug where it comes from: a stack says nothing to who runs a cluster.
 */
export function createLogger(name: string, level = 'warn', sink: LogSink = terminal): Logger {
  const lowest = LEVELS.indexOf(level as Level);
  const write =
    (at: Level) =>
    (fields: object, message: string): void => {
      if (LEVELS.indexOf(at) < lowest) return;
      const more = Object.entries(fields).map(([key, value]) => ` ${key}=${shown(value, level === 'debug')}`);
      sink.write(`${new Date(sink.now()).toISOString()} ${at} ${name}: ${message}${more.join('')}\n`);
    };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

const terminal: LogSink = { write: line => process.stderr.write(line), now: () => realClock.now() };

/** On one line, whatever it is: nothing that a client sent can forge a line of its own. */
function shown(value: unknown, whole: boolean): string {
  const text = value instanceof Error ? ((whole ? value.stack : undefined) ?? value.message) : value;
  if (typeof text === 'string') return /^[\w.:/@+-]+$/.test(text) ? text : JSON.stringify(text);
  try {
    return JSON.stringify(text) ?? 'undefined';
  } catch (error) {
    return `(cannot be shown: ${(error as Error).message})`;
  }
}
