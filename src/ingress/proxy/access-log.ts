import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Route } from '../routing/route.js';
import type { Outcome } from './forward.js';

export interface Access {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly client: string;
  /** When it was over, milliseconds since the epoch. */
  readonly now: number;
  readonly ms: number;
  readonly found: Route | undefined;
  readonly outcome: Outcome | undefined;
}

const MAX_TEXT = 1024;
/** What a client wrote: in quotes, on one line, not longer than one can read. */
const quoted = (text: string): string => JSON.stringify(text.slice(0, MAX_TEXT));

/** As nginx logs a request, with whose rule it was and who was asked. */
export function accessLine({ request, response, client, now, ms, found, outcome }: Access): string {
  const { method = '', url = '', httpVersion, headers } = request;
  const { endpoint, error } = outcome ?? {};
  return [
    `${client} - - [${new Date(now).toISOString()}]`,
    quoted(`${method} ${url.slice(0, MAX_TEXT)} HTTP/${httpVersion}`),
    String(response.statusCode),
    quoted(headers.host ?? ''),
    `[${found?.owner ?? 'no rule'}]`,
    endpoint === undefined ? '-' : `${endpoint.address}:${endpoint.port}`,
    (ms / 1000).toFixed(3),
    ...(error === undefined ? [] : [quoted(error)]),
  ].join(' ');
}
