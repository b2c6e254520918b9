import { Agent, request as httpsRequest } from 'node:https';
import type { Request } from './requests.js';

export interface Answered {
  readonly status: number;
  readonly text: string;
}

export interface FuzzClient {
  /** @throws Error when the connection ends without an answer */
  send(request: Request): Promise<Answered>;
  close(): void;
}

const PATIENCE_MS = 70_000;
const MAX_TEXT = 64 * 1024;

export function fuzzClient(port: number, ca: string, token: string): FuzzClient {
  const agent = new Agent({ keepAlive: true });
  return {
    send: ({ method, path, headers, body }) =>
      new Promise((resolve, reject) => {
        const outgoing = httpsRequest(
          {
            ...{ host: '127.0.0.1', port, ca, agent, method, path, timeout: PATIENCE_MS },
            headers: {
              authorization: `Bearer ${token}`,
              ...headers,
              ...(body === undefined ? {} : { 'content-length': body.length }),
            },
          },
          answer => {
            const status = answer.statusCode ?? 0;
            // A watch that was understood goes on.
            if (path.includes('watch=') && status === 200) {
              resolve({ status, text: '' });
              return void outgoing.destroy();
            }
            let text = '';
            answer.on('data', (chunk: Buffer) => {
              if (text.length < MAX_TEXT) text += chunk.toString();
            });
            answer.on('error', reject).on('end', () => resolve({ status, text }));
          },
        );
        outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${PATIENCE_MS / 1000} s`)));
        outgoing.on('error', reject).end(body);
      }),
    close: () => agent.destroy(),
  };
}
