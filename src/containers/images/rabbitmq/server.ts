import type { Process, Program } from '../../process.js';
import { serveConnections, type Connection } from '../connections.js';
import { serveTogether } from '../http-server.js';
import { json, metrics, serveRoutes, type Answer, type Asked, type Route, type Served } from '../http/served.js';
import * as f from './frames.js';
import { hasManagement, PORTS, RABBIT_VERSION, usersOf } from './settings.js';

const HEADER = Buffer.from('AMQP\0\0\x09\x01', 'latin1');
const CONNECTION = 10;
const CHANNEL = 20;
const ACCESS_REFUSED = 403;
const NOT_IMPLEMENTED = 540;
const HEARTBEAT_SECONDS = 60;
const MAX_CHANNELS = 2047;

/** Names of what clients ask for most, by class and method. */
const METHODS: Readonly<Record<string, string>> = {
  '40.10': 'exchange.declare',
  '50.10': 'queue.declare',
  '50.20': 'queue.bind',
  '60.10': 'basic.qos',
  '60.20': 'basic.consume',
  '60.40': 'basic.publish',
  '60.70': 'basic.get',
  '85.10': 'confirm.select',
  '90.10': 'tx.select',
};

/** Behind a table and a short text: "\0user\0password" of PLAIN. Undefined: it is something else. */
function plainLogin(args: Buffer): { user: string; password: string } | undefined {
  if (args.length < 4) return undefined;
  const mechanismAt = 4 + args.readUInt32BE(0);
  const at = mechanismAt + 1 + (args[mechanismAt] ?? 0);
  if (at + 4 > args.length || args.toString('utf8', mechanismAt + 1, at) !== 'PLAIN') return undefined;
  const [, user = '', password = ''] = args.toString('utf8', at + 4, at + 4 + args.readUInt32BE(at)).split('\0');
  return { user, password };
}

const close = (
  channel: number,
  classId: number,
  code: number,
  text: string,
  cause: readonly [number, number],
): Buffer =>
  f.method(
    channel,
    classId,
    classId === CONNECTION ? 50 : 40,
    f.short(code),
    f.shortText(text),
    f.short(cause[0]),
    f.short(cause[1]),
  );

async function converse(process: Process, connection: Connection): Promise<void> {
  const { reader, write } = connection;
  const header = await reader.bytes(HEADER.length);
  if (header === undefined) return;
  if (!header.equals(HEADER)) return void (await write(HEADER));
  const properties = {
    product: 'RabbitMQ',
    version: RABBIT_VERSION,
    platform: 'simulated',
    cluster_name: `rabbit@${process.container.hostname}`,
  };
  await write(
    f.method(0, CONNECTION, 10, Buffer.from([0, 9]), f.table(properties), f.longText('PLAIN'), f.longText('en_US')),
  );
  const channels = new Set<number>();
  for (;;) {
    const frame = await f.readFrame(connection);
    if (frame === undefined) return;
    await process.turn();
    if (frame.type === f.HEARTBEAT) await write(f.frame(f.HEARTBEAT, 0));
    if (frame.type !== f.METHOD || frame.payload.length < 4) continue;
    const answer = reply(process, channels, frame);
    if (answer !== undefined) await write(answer.bytes);
    if (answer?.ends === true) return;
  }
}

interface Reply {
  readonly bytes: Buffer;
  readonly ends?: boolean;
}

/** What a method is answered with; undefined: nothing. */
function reply(process: Process, channels: Set<number>, { channel, payload }: f.Frame): Reply | undefined {
  const cause = [payload.readUInt16BE(0), payload.readUInt16BE(2)] as const;
  const name = cause.join('.');
  const args = payload.subarray(4);
  switch (name) {
    case '10.11': {
      const login = plainLogin(args);
      const known = login !== undefined && usersOf(process.env).get(login.user) === login.password;
      if (known)
        return {
          bytes: f.method(0, CONNECTION, 30, f.short(MAX_CHANNELS), f.long(f.MAX_FRAME), f.short(HEARTBEAT_SECONDS)),
        };
      const text =
        'ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN. For details see the broker logfile.';
      return { bytes: close(0, CONNECTION, ACCESS_REFUSED, text, [0, 0]), ends: true };
    }
    case '10.31':
      return undefined;
    case '10.40':
      return { bytes: f.method(0, CONNECTION, 41, f.shortText('')) };
    case '10.50':
      return { bytes: f.method(0, CONNECTION, 51), ends: true };
    case '10.51':
      return { bytes: Buffer.alloc(0), ends: true };
    case '20.10':
      channels.add(channel);
      return { bytes: f.method(channel, CHANNEL, 11, f.long(0)) };
    case '20.40':
      channels.delete(channel);
      return { bytes: f.method(channel, CHANNEL, 41) };
    case '20.41':
      channels.delete(channel);
      return undefined;
    default:
      if (!channels.has(channel)) return undefined;
      return {
        bytes: close(
          channel,
          CHANNEL,
          NOT_IMPLEMENTED,
          `NOT_IMPLEMENTED - ${METHODS[name] ?? name}: not simulated, this broker keeps no messages; see \`kubette images\``,
          cause,
        ),
      };
  }
}

/** The management API wants a user. */
const authorized =
  (route: Route): Route =>
  (asked: Asked): Answer | Promise<Answer> => {
    const [scheme = '', token = ''] = (asked.request.headers.authorization ?? '').split(' ', 2);
    const [user = '', password = ''] = Buffer.from(token, 'base64').toString('utf8').split(':', 2);
    if (scheme === 'Basic' && usersOf(asked.process.env).get(user) === password) return route(asked);
    return {
      ...json({ error: 'not_authorized', reason: 'Login failed' }, 401),
      headers: { 'WWW-Authenticate': 'Basic realm="RabbitMQ Management"' },
    };
  };

const MANAGEMENT: Served['routes'] = {
  '/': () => ({ type: 'text/html', body: '<html><title>RabbitMQ Management</title><body>Simulated.</body></html>\n' }),
  '/api/overview': authorized(({ process }) =>
    json({
      rabbitmq_version: RABBIT_VERSION,
      cluster_name: `rabbit@${process.container.hostname}`,
      node: `rabbit@${process.container.hostname}`,
      object_totals: { queues: 0, connections: 0 },
    }),
  ),
  '/api/aliveness-test/': authorized(() => json({ status: 'ok' })),
  '/api/healthchecks/node': authorized(() => json({ status: 'ok' })),
  '/api/health/checks/': authorized(() => json({ status: 'ok' })),
  '/api/queues': authorized(() => json([])),
  '/api/nodes': authorized(({ process }) => json([{ name: `rabbit@${process.container.hostname}`, running: true }])),
};

/** rabbitmq-server: AMQP up to open channels, the ports of its tools, metrics, and management where the image has it. */
export const rabbitmqServer: Program = async process => {
  const { stdout, container } = process;
  const closed = async (): Promise<void> => undefined;
  await stdout.write(
    `  ##  ##      RabbitMQ ${RABBIT_VERSION} (simulated: it keeps no messages)\n  Starting broker... completed.\n`,
  );
  const doors = [
    { port: PORTS.amqp, talk: (connection: Connection) => converse(process, connection) },
    { port: PORTS.distribution, talk: closed },
    { port: PORTS.epmd, talk: closed },
  ];
  const numbers: Served['routes'] = { '/metrics': () => metrics({ rabbitmq_up: 1, rabbitmq_queues: 0 }) };
  return serveTogether(
    process,
    until => serveConnections(process, doors, until),
    until => serveRoutes(process, { port: PORTS.prometheus, routes: numbers }, until),
    until =>
      hasManagement(container.image)
        ? serveRoutes(process, { port: PORTS.management, routes: MANAGEMENT }, until)
        : until,
  );
};
