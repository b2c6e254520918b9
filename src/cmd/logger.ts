import { createRequire } from 'node:module';
import type * as Pino from 'pino';

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
type Level = (typeof LEVELS)[number];

/** What our processes say; a structural subset of pino's Logger. */
export type Logger = Record<Level, (fields: object, message: string) => void>;

/**
 * JSON lines on stderr by pino, named after the process; `level` is error, warn, info or debug. Pino is loaded with the
 * first line that is written: most of these processes say nothing, there are many of them, and it costs 4 MB each.
 */
export function createLogger(name: string, level = 'warn'): Logger {
  const lowest = LEVELS.indexOf(level as Level);
  let sink: Pino.Logger | undefined;
  const load = (): Pino.Logger => {
    const { pino } = createRequire(import.meta.url)('pino') as typeof Pino;
    // Synchronous: what is said just before an exit must be seen.
    return pino({ name, level, base: { pid: process.pid } }, pino.destination({ dest: 2, sync: true }));
  };
  const write =
    (at: Level) =>
    (fields: object, message: string): void => {
      if (LEVELS.indexOf(at) >= lowest) (sink ??= load())[at](fields, message);
    };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}
