import { pino, type Logger } from 'pino';

/** JSON lines on stderr, named after the process; `level` is error, warn, info or debug. */
export function createLogger(name: string, level = 'warn'): Logger {
  // Synchronous: what is said just before an exit must be seen, and these processes say little.
  return pino({ name, level, base: { pid: process.pid } }, pino.destination({ dest: 2, sync: true }));
}
