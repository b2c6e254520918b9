import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Process } from '../../../process.js';
import { logLine } from '../command.js';

/** What answers are made of. */
export interface Server {
  readonly process: Process;
  readonly httpPort: number;
  /** The UDP server is up, or there is to be none. */
  readonly ready: () => boolean;
  readonly stopping: () => boolean;
  /** Ends the process. */
  readonly exit: (code: number) => void;
}

export type Handler = (
  server: Server,
  request: IncomingMessage,
  response: ServerResponse,
  form: URLSearchParams,
) => Promise<void> | void;

export const log = ({ process }: Server, text: string): void => logLine(process, text);
export const integer = (text: string): number | undefined => (/^[-+]?\d+$/.test(text) ? Number(text) : undefined);

/** encoding/json escapes what would matter in HTML. */
export const goJson = (value: object): string =>
  JSON.stringify(value).replace(/[<>&]/g, c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
