import { realClock } from '../machinery/clock.js';

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
type Level = (typeof LEVELS)[number];

/** What our processes say. */
export type Logger = Record<Level, (fields: object, message: string) => void>;

export interface LogSink {
  write(line: string): unknown;
  now(): number;
}

export interface LogOptions {
  /** error, warn, info or debug */
  readonly level?: string | undefined;
  /** As upstream's --logging-format: text is for people, json for programs. */
  readonly format?: string | undefined;
  readonly sink?: LogSink;
}

/** Lines on stderr, named after the process. Pino costs 4 MB: it is loaded by who wants JSON, and before the first line. */
export async function createLogger(name: string, options: LogOptions = {}): Promise<Logger> {
  const { level = 'warn', format = 'text', sink = terminal } = options;
  const lowest = LEVELS.indexOf(level as Level);
  const target =
    format === 'json' ? (await import('./json-lines.js')).jsonLines(name, level, sink) : textLines(name, level, sink);
  const write =
    (at: Level) =>
    (fields: object, message: string): void => {
      if (LEVELS.indexOf(at) >= lowest) target(at, fields, message);
    };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

type LogTarget = (at: Level, fields: object, message: string) => void;

/** Of an error only the message is printed, and with debug where it comes from: a stack says nothing to who runs a cluster. */
const textLines =
  (name: string, level: string, sink: LogSink): LogTarget =>
  (at, fields, message) => {
    const more = Object.entries(fields).map(([key, value]) => ` ${key}=${shown(value, level === 'debug')}`);
    sink.write(`${new Date(sink.now()).toISOString()} ${at} ${name}: ${message}${more.join('')}\n`);
  };

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
