import { Agent, request } from 'node:https';
import type { ClientRequest, IncomingMessage } from 'node:http';

export interface Call {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer | undefined;
}

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly warnings: readonly string[];
  header(name: string): string | null;
  readonly content:
    | { readonly kind: 'json'; readonly body: unknown; readonly text: string }
    | { readonly kind: 'text'; readonly text: string }
    | { readonly kind: 'binary' };
}

export interface Stream {
  readonly request: ClientRequest;
  readonly response: IncomingMessage;
}

export interface WireClient {
  call(call: Call): Promise<Answer>;
  /** On a connection of its own, once the headers are there. */
  open(call: Call): Promise<Stream>;
  /** The whole body of an opened one. */
  read(stream: Stream): Promise<Answer>;
  close(): void;
}

/** Nothing takes that long; it is only so that a server that hangs fails. */
const LIMIT_MS = 60_000;
const PROTOBUF_MAGIC = 'k8s\0';

export function answerOf(response: IncomingMessage, bytes: Buffer): Answer {
  const { rawHeaders } = response;
  const valuesOf = (name: string): string[] =>
    rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === name.toLowerCase());
  const content = (): Answer['content'] => {
    if (bytes.toString('latin1', 0, PROTOBUF_MAGIC.length) === PROTOBUF_MAGIC) return { kind: 'binary' };
    const text = bytes.toString();
    try {
      return { kind: 'json', body: JSON.parse(text), text };
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return { kind: 'text', text };
    }
  };
  return {
    status: response.statusCode ?? 0,
    contentType: response.headers['content-type'] ?? '',
    warnings: valuesOf('warning'),
    header: name => valuesOf(name).join(', ') || null,
    content: content(),
  };
}

export function createWireClient(port: number): WireClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  const start = (call: Call, shared: Agent | false): Promise<Stream> =>
    new Promise((resolve, reject) => {
      const { method, target: path, body } = call;
      const length = body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) };
      const options = { host: '127.0.0.1', port, method, path, headers: { ...call.headers, ...length } };
      const outgoing = request({ ...options, agent: shared, rejectUnauthorized: false, timeout: LIMIT_MS });
      outgoing.on('timeout', () => outgoing.destroy(new Error(`silent for ${LIMIT_MS} ms`)));
      outgoing.on('response', response => resolve({ request: outgoing, response }));
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  const read = async ({ response }: Stream): Promise<Answer> => {
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    return answerOf(response, Buffer.concat(chunks));
  };
  return {
    call: async call => read(await start(call, agent)),
    open: call => start(call, false),
    read,
    close: () => agent.destroy(),
  };
}
