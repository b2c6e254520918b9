import { Agent, request } from 'node:https';

export interface Answer {
  readonly status: number;
  readonly text: string;
}

export interface Api {
  ask(method: string, path: string, body?: unknown): Promise<Answer>;
  close(): void;
}

/** A server of this machine, by whatever certificate it has. */
export function api(port: number, token: string): Api {
  const agent = new Agent({ keepAlive: true, rejectUnauthorized: false });
  return {
    ask: (method, path, body) =>
      new Promise((resolve, reject) => {
        const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
        const outgoing = request({ host: '127.0.0.1', port, agent, method, path, headers }, answer => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject);
          answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
        });
        outgoing.on('error', reject).end(body === undefined ? undefined : JSON.stringify(body));
      }),
    close: () => agent.destroy(),
  };
}
