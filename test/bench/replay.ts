import { readFileSync } from 'node:fs';
import { request, createServer } from 'node:https';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A server with the keys of the real one that asks it each thing once, and from then on answers from memory. */
export interface ReplayServer {
  readonly port: number;
  close(): void;
}

/** `dataDir` is the real server's, which listens on `port` of 127.0.0.1. */
export async function createReplayServer(dataDir: string, port: number): Promise<ReplayServer> {
  const pem = (name: string): Buffer => readFileSync(join(dataDir, 'pki', name));
  const identity = { cert: pem('admin.crt'), key: pem('admin.key'), ca: pem('ca.crt') };
  const answers = new Map<string, Promise<Answer>>();

  const ask = (incoming: IncomingMessage): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const { method, url: path, headers } = incoming;
      const outgoing = request({ host: '127.0.0.1', port, method, path, headers, ...identity }, response => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
        );
      });
      outgoing.once('error', reject);
      outgoing.end();
    });

  const answer = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method, url, headers } = incoming;
    const key = [method, url, headers.accept, headers['accept-encoding']].join(' ');
    const known = answers.get(key) ?? ask(incoming);
    answers.set(key, known);
    const { status, headers: given, body } = await known;
    const { 'transfer-encoding': _, connection: __, ...kept } = given;
    response.writeHead(status, { ...kept, 'content-length': body.length });
    response.end(body);
  };
  const server = createServer({ cert: pem('apiserver.crt'), key: pem('apiserver.key') }, (incoming, response) => {
    answer(incoming, response).catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () => void server.close(() => undefined),
  };
}
