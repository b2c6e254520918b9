import { pino } from 'pino';

interface Sink {
  write(line: string): unknown;
  now(): number;
}

/** What programs read: a line of JSON each, errors whole. */
export function jsonLines(
  name: string,
  level: string,
  sink: Sink,
): (at: 'debug' | 'info' | 'warn' | 'error', fields: object, message: string) => void {
  const timestamp = (): string => `,"time":"${new Date(sink.now()).toISOString()}"`;
  const logger = pino({ name, level, base: { pid: process.pid }, timestamp }, { write: line => void sink.write(line) });
  return (at, fields, message) => logger[at](fields, message);
}
