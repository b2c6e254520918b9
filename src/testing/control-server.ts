import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isStatusError } from '../machinery/status.js';
import type { Cluster } from './cluster.js';
import { createControlActions, type ControlAction } from './control-actions.js';
import { ControlError } from './errors.js';

/** Steers a cluster from another process, in whatever language that is written. */
export interface ControlServer {
  /** "http://127.0.0.1:41234/6f1c…": whoever has it may do everything. */
  readonly url: string;
  /** Ends it, and whoever waits for an answer. */
  close(): void;
}

const HOST = '127.0.0.1';
const MAX_BODY = 16 * 1024 * 1024;

/** @throws Error when no port can be had */
export async function startControlServer(cluster: Cluster): Promise<ControlServer> {
  const actions = createControlActions();
  // A page in a browser of this machine, or another of its users, knows the port but not this.
  const secret = randomBytes(16).toString('hex');
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname } = new URL(request.url ?? '/', `http://${HOST}`);
    if (!pathname.startsWith(`/${secret}/`)) return answer(response, 404, { error: 'NotFound', message: 'not here' });
    const path = pathname.slice(secret.length + 1);
    const [action, name] = find(actions, `${request.method ?? ''} ${path}`);
    if (action === undefined) {
      const message = `there is no ${request.method ?? ''} ${path}, only ${Object.keys(actions).join(', ')}`;
      return answer(response, 404, { error: 'NotFound', message });
    }
    try {
      const result = await action(cluster, await readJson(request), name);
      answer(response, 200, result ?? null);
    } catch (error) {
      answer(response, ...failure(error));
    }
  };
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, HOST, resolve);
  });
  return {
    url: `http://${HOST}:${(server.address() as AddressInfo).port}/${secret}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** By its whole path, or by what stands before its last part. */
function find(
  actions: Readonly<Record<string, ControlAction>>,
  asked: string,
): readonly [ControlAction | undefined, string] {
  if (Object.hasOwn(actions, asked)) return [actions[asked], ''];
  const slash = asked.lastIndexOf('/');
  const collection = asked.slice(0, slash + 1);
  return [Object.hasOwn(actions, collection) ? actions[collection] : undefined, asked.slice(slash + 1)];
}

async function readJson(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    if (bytes > MAX_BODY) throw new ControlError(`the body has more than ${MAX_BODY} bytes`);
    chunks.push(chunk as Buffer);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  if (text.trim() === '') return {};
  try {
    const value = JSON.parse(text) as unknown;
    if (value === null) return {};
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch (error) {
    throw new ControlError(`the body is no JSON: ${(error as Error).message}`, { cause: error });
  }
  throw new ControlError('the body is no JSON object');
}

/** What the caller may have done wrong has 400, what the cluster refuses its own status. */
function failure(error: unknown): readonly [number, object] {
  const { name = 'Error', message = String(error) } = error as Partial<Error>;
  if (isStatusError(error)) return [error.code, { error: name, message, reason: error.reason, status: error.status }];
  const known = ['ControlError', 'DocumentError', 'RangeError', 'SnapshotError', 'WaitError'].includes(name);
  const last = (error as { last?: unknown }).last;
  return [known ? 400 : 500, { error: name, message, ...(last === undefined ? {} : { last }) }];
}

function answer(response: ServerResponse, code: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(code, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) });
  response.end(text);
}
