import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { createServer as createPlainServer, type AddressInfo } from 'node:net';
import { createSecureContext, type TLSSocket } from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import { issueCertificate, type KeyPair } from '../../../../src/machinery/x509/certificate.js';
import { substitute, type Variables } from '../matcher.js';
import { admissionReview, conversionReview, type Behaviour } from './behaviour.js';

/** What the API server has sent, as it is compared. */
export interface Hit {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** Whom the API server asks while a scenario runs. */
export interface HookServer {
  /** What scenarios call this machine and its authorities. */
  readonly variables: ReadonlyMap<string, unknown>;
  begin(variables: Variables, servers: Readonly<Record<string, Behaviour>>): HookScenario;
  close(): Promise<void>;
}

export interface HookScenario {
  /** Behaviours that hold from now on; null removes one. */
  change(servers: Readonly<Record<string, Behaviour | null>>): void;
  /** What has arrived since the last call of `forget`. */
  readonly hits: readonly Hit[];
  /** What the API server has asked aggregated APIs of its own accord, from the beginning. */
  readonly background: readonly Hit[];
  forget(): void;
  end(): void;
}

const DAY_MS = 86_400_000;
const HEADERS =
  /^(accept|accept-encoding|authorization|content-type|user-agent|forwarded|via|x-forwarded-.*|x-remote-.*|impersonate-.*|cookie|x-custom.*)$/;

const issue = (commonName: string, usage: 'ca' | 'server', issuer?: KeyPair, subjectAltNames?: string[]): KeyPair =>
  issueCertificate({
    subject: { commonName },
    usage,
    notBefore: Date.now() - DAY_MS,
    notAfter: Date.now() + DAY_MS,
    ...(issuer === undefined ? {} : { issuer }),
    ...(subjectAltNames === undefined ? {} : { subjectAltNames }),
  });

const base64 = ({ cert }: KeyPair): string => Buffer.from(cert).toString('base64');

interface Scenario {
  readonly variables: Variables;
  readonly servers: Map<string, Behaviour>;
  /** How often a sequence was asked. */
  readonly asked: Map<string, number>;
  hits: Hit[];
  readonly background: Hit[];
}

/** Whether others are there and what they serve, the API server asks whenever it likes. */
function isBackground({ path, headers }: Hit): boolean {
  if (!/^\/(apis|openapi)([/?]|$)/.test(path)) return false;
  const user = headers['x-remote-user'];
  return user === undefined || /^system:(kube-)?aggregator$/.test(user);
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}

function hitOf(request: IncomingMessage, path: string, text: string): Hit {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) if (HEADERS.test(name)) headers[name] = String(value);
  const peer = (request.socket as TLSSocket).getPeerCertificate() as { subject?: unknown };
  if (peer.subject !== undefined) headers['(client certificate)'] = 'yes';
  return { method: request.method ?? '', path, headers, ...(text === '' ? {} : { body: parsed(text) }) };
}

function send(response: ServerResponse, status: number, body: unknown, type = 'application/json'): void {
  response.writeHead(status, { 'Content-Type': type });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

function behaviourAt(scenario: Scenario, path: string): Behaviour | undefined {
  const keys = [...scenario.servers.keys()].filter(
    key => key === path || (scenario.servers.get(key)?.prefix === true && path.startsWith(key)),
  );
  const [key = ''] = keys.sort((a, b) => b.length - a.length);
  const behaviour = scenario.servers.get(key);
  if (behaviour?.sequence === undefined) return behaviour;
  const asked = scenario.asked.get(key) ?? 0;
  scenario.asked.set(key, asked + 1);
  return behaviour.sequence[Math.min(asked, behaviour.sequence.length - 1)];
}

async function answer(behaviour: Behaviour, request: IncomingMessage, response: ServerResponse, hit: Hit) {
  const { delayMs, close, partial, headers = {}, contentType, status, json, stream } = behaviour;
  if (delayMs !== undefined) await sleep(delayMs);
  if (close === true) return void request.socket.destroy();
  if (partial !== undefined) {
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': partial.length + 100 });
    response.write(partial, () => request.socket.destroy());
    return;
  }
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  if (stream !== undefined) {
    response.writeHead(200, { 'Content-Type': contentType ?? 'application/json' });
    for (const event of stream) response.write(`${JSON.stringify(event)}\n`);
    return void response.end();
  }
  if (behaviour.echoRequest === true) {
    const { body: _body, ...arrived } = hit;
    return send(response, status ?? 200, { ...(json as object | undefined), request: arrived });
  }
  if (json !== undefined) return send(response, status ?? 200, json, contentType);
  if (behaviour.text !== undefined || status !== undefined)
    return send(response, status ?? 200, behaviour.text ?? '', contentType ?? 'text/plain');
  const review = hit.body ?? {};
  send(
    response,
    200,
    behaviour.convert ? conversionReview(behaviour.convert, review) : admissionReview(behaviour, review),
  );
}

const NOTHING = {
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  message: 'nothing here',
  reason: 'NotFound',
  code: 404,
};

async function freePort(): Promise<number> {
  const server = createPlainServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** An HTTPS server with a certificate for every Service that is asked for. */
export async function startHookServer(): Promise<HookServer> {
  const authority = issue('hooks-ca', 'ca');
  const own = issue('hooks', 'server', authority, ['127.0.0.1', 'localhost']);
  let current: Scenario | undefined;
  const server = createServer(
    {
      ...own,
      // Scenarios close connections on purpose; nothing else does.
      keepAliveTimeout: 600_000,
      requestCert: true,
      rejectUnauthorized: false,
      SNICallback(name, done) {
        const pair = name.endsWith('.svc') ? issue('hooks', 'server', authority, [name]) : own;
        done(null, createSecureContext(pair));
      },
    },
    (request, response) => {
      const serve = async (): Promise<void> => {
        const text = await textOf(request);
        if (current === undefined) return send(response, 404, 'no scenario', 'text/plain');
        const { variables, hits, background } = current;
        const { pathname, search } = new URL(request.url ?? '', 'https://hook');
        const below = `/${String(variables.get('u'))}/`;
        const path = pathname.startsWith(below) ? pathname.slice(below.length - 1) : pathname;
        const hit = hitOf(request, path + search, text);
        (isBackground(hit) ? background : hits).push(hit);
        const behaviour = behaviourAt(current, path);
        if (behaviour === undefined) return send(response, 404, NOTHING);
        await answer(substitute(behaviour, variables) as Behaviour, request, response, hit);
      };
      serve().catch(() => response.destroy());
    },
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const deadPort = await freePort();
  return {
    variables: new Map<string, unknown>([
      ['hookHost', '127.0.0.1'],
      ['hookPort', port],
      ['deadPort', deadPort],
      ['deadUrl', `https://127.0.0.1:${deadPort}`],
      ['caBundle', base64(authority)],
      ['otherCaBundle', base64(issue('another-ca', 'ca'))],
    ]),
    begin(variables, servers) {
      const scenario: Scenario = { variables, servers: new Map(), asked: new Map(), hits: [], background: [] };
      const change: HookScenario['change'] = changes => {
        for (const [path, behaviour] of Object.entries(changes)) {
          const at = String(substitute(path, variables));
          if (behaviour === null) scenario.servers.delete(at);
          else scenario.servers.set(at, behaviour);
        }
      };
      change(servers);
      current = scenario;
      return {
        change,
        get hits() {
          return scenario.hits;
        },
        background: scenario.background,
        forget: () => void (scenario.hits = []),
        end: () => void (current = undefined),
      };
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
