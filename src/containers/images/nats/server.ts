import type { Process, Program } from '../../process.js';
import { serveConnections, type Connection } from '../connections.js';
import { serveTogether } from '../http-server.js';
import { flagOf, json, serveRoutes, type Served } from '../http/served.js';
import { LineTooLong } from '../stream-reader.js';

const VERSION = '2.11.8';
const MAX_LINE = 4096;
const MAX_PAYLOAD = 1024 * 1024;
const MAX_SUBSCRIPTIONS = 1000;

interface Client {
  readonly connection: Connection;
  /** Subject and queue group by the client's own number. */
  readonly subscriptions: Map<string, { readonly parts: readonly string[]; readonly group: string | undefined }>;
  verbose: boolean;
}

interface Nats {
  readonly process: Process;
  readonly clients: Set<Client>;
  readonly counts: { total: number; messages: number };
}

/** "a.*.c" and "a.>" as parts. */
const fits = (pattern: readonly string[], subject: readonly string[]): boolean =>
  pattern.every((part, i) =>
    part === '>' ? i < subject.length : i < subject.length && (part === '*' || part === subject[i]),
  ) &&
  (pattern.at(-1) === '>' || pattern.length === subject.length);

function deliver(server: Nats, subject: string, reply: string, payload: Buffer): void {
  const parts = subject.split('.');
  const served = new Set<string>();
  for (const { connection, subscriptions } of server.clients)
    for (const [id, { parts: pattern, group }] of subscriptions) {
      if (!fits(pattern, parts) || (group !== undefined && served.has(group))) continue;
      // Of a queue group one member has it.
      if (group !== undefined) served.add(group);
      const head = `MSG ${subject} ${id} ${reply === '' ? '' : `${reply} `}${payload.length}\r\n`;
      connection.post(Buffer.concat([Buffer.from(head), payload, Buffer.from('\r\n')]));
    }
}

/** False: the connection ends. */
async function act(server: Nats, client: Client, line: string): Promise<boolean> {
  const { connection, subscriptions } = client;
  const [operation = '', ...words] = line.split(' ').filter(word => word !== '');
  const done = async (): Promise<boolean> => {
    if (client.verbose) await connection.write('+OK\r\n');
    return true;
  };
  switch (operation.toUpperCase()) {
    case 'CONNECT':
      client.verbose = /"verbose" ?: ?true/.test(line);
      return done();
    case 'PING':
      await connection.write('PONG\r\n');
      return true;
    case 'PONG':
      return true;
    case 'SUB': {
      const [subject = '', second = '', third] = words;
      if (subscriptions.size >= MAX_SUBSCRIPTIONS) return refuse(connection, 'Maximum Subscriptions Exceeded');
      subscriptions.set(third ?? second, {
        parts: subject.split('.'),
        group: third === undefined ? undefined : second,
      });
      return done();
    }
    case 'UNSUB':
      subscriptions.delete(words[0] ?? '');
      return done();
    case 'PUB': {
      const size = Number(words.at(-1));
      if (words.length < 2 || !Number.isInteger(size) || size < 0 || size > MAX_PAYLOAD)
        return refuse(connection, 'Maximum Payload Violation');
      const data = await connection.reader.bytes(size + 2);
      if (data === undefined) return false;
      server.counts.messages++;
      deliver(server, words[0] ?? '', words.length > 2 ? (words[1] ?? '') : '', data.subarray(0, size));
      return done();
    }
    default:
      return refuse(connection, 'Unknown Protocol Operation');
  }
}

async function refuse(connection: Connection, text: string): Promise<boolean> {
  await connection.write(`-ERR '${text}'\r\n`);
  return false;
}

async function converse(server: Nats, connection: Connection): Promise<void> {
  const client: Client = { connection, subscriptions: new Map(), verbose: false };
  const id = ++server.counts.total;
  const { container } = server.process;
  server.clients.add(client);
  try {
    const info = {
      server_id: 'SIMULATED',
      server_name: container.hostname,
      version: VERSION,
      proto: 1,
      headers: false,
      max_payload: MAX_PAYLOAD,
      client_id: id,
    };
    await connection.write(`INFO ${JSON.stringify(info)}\r\n`);
    for (;;) {
      const line = await connection.reader.line(MAX_LINE);
      if (line === undefined) return;
      await server.process.turn();
      if (line.length > 0 && !(await act(server, client, line.toString('utf8')))) return;
    }
  } catch (error) {
    if (!(error instanceof LineTooLong)) throw error;
    await connection.write("-ERR 'Maximum Control Line Exceeded'\r\n");
  } finally {
    server.clients.delete(client);
  }
}

const MONITOR_PORT = 8222;

/** nats-server: subjects, wildcards and queue groups of core NATS; the monitor with -m or as the image's settings have it. */
export const natsServer: Program = async process => {
  const { args, stderr } = process;
  if (args.includes('-v') || args.includes('--version')) {
    await process.stdout.write(`nats-server: v${VERSION}\n`);
    return 0;
  }
  const port = Number(flagOf(process, 'p') ?? flagOf(process, 'port') ?? '4222');
  const monitor = Number(flagOf(process, 'm') ?? flagOf(process, 'http_port') ?? String(MONITOR_PORT));
  const server: Nats = { process, clients: new Set(), counts: { total: 0, messages: 0 } };
  const routes: Served['routes'] = {
    '/healthz': () => json({ status: 'ok' }),
    '/varz': () =>
      json({
        version: VERSION,
        port,
        connections: server.clients.size,
        total_connections: server.counts.total,
        in_msgs: server.counts.messages,
      }),
    '/connz': () => json({ num_connections: server.clients.size, connections: [] }),
    '/': () => ({ type: 'text/html', body: '<html><body>NATS, simulated</body></html>\n' }),
  };
  await stderr.write(
    `[${process.pid}] [INF] Listening for client connections on 0.0.0.0:${port}\n[${process.pid}] [INF] Server is ready\n`,
  );
  return serveTogether(
    process,
    until => serveConnections(process, [{ port, talk: connection => converse(server, connection) }], until),
    until => serveRoutes(process, { port: monitor, routes }, until),
  );
};
