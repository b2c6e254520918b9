import type { Process, Program } from '../../process.js';
import { serveConnections, type Connection } from '../connections.js';
import { SqlError, type Catalog } from '../sql/catalog.js';
import { UnterminatedError } from '../sql/tokens.js';
import { isPlugin, proves, type Plugin } from './auth.js';
import * as p from './packets.js';
import { runMysql, type MysqlSession } from './sql.js';

export interface MysqlServerOptions {
  readonly catalog: Catalog;
  readonly version: string;
  readonly plugin: Plugin;
}

interface MysqlServer extends MysqlServerOptions {
  readonly process: Process;
  readonly startedAt: number;
}

const MAX_PACKET = 256 * 1024;
const MAX_LOGIN = 4096;
const COMMAND = {
  quit: 1,
  initDatabase: 2,
  query: 3,
  fieldList: 4,
  statistics: 9,
  ping: 14,
  setOption: 27,
  reset: 31,
} as const;

/** MySQL's number for an SQLSTATE, where it has one. */
const NUMBERS: Readonly<Record<string, number>> = {
  '42601': 1064,
  '0A000': 1235,
  '42P04': 1007,
  '3D000': 1049,
  '42710': 1396,
  '42704': 1396,
  '42703': 1054,
  '22012': 1365,
};

function errorOf(sequence: number, error: unknown): Buffer {
  if (error instanceof SqlError)
    return p.errorPacket(sequence, NUMBERS[error.code] ?? 1105, stateOf(error.code), error.message);
  if (error instanceof UnterminatedError)
    return p.errorPacket(sequence, 1064, '42000', `You have an error in your SQL syntax near '${error.message}'`);
  throw error;
}

const stateOf = (code: string): string =>
  code === '42601' || code === '0A000' || code === '3D000' ? '42000' : 'HY000';

/** Bytes from 1 to 127: a nonce has no zero in it. */
const nonceOf = (random: () => number): Buffer =>
  Buffer.from(Array.from({ length: 20 }, () => 1 + Math.floor(random() * 126)));

/** Who is let in, and the number of the next packet; undefined: nobody, which has been said. */
async function logIn(
  server: MysqlServer,
  connection: Connection,
  thread: number,
): Promise<{ login: p.Login; next: number } | undefined> {
  const nonce = nonceOf(server.process.container.random);
  await connection.write(p.greetingPacket({ version: server.version, thread, nonce, plugin: server.plugin }));
  let answer = await p.readPacket(connection, MAX_LOGIN);
  const login = answer === undefined ? undefined : p.readLogin(answer.body);
  if (answer === undefined || login === undefined) return undefined;
  let plugin: Plugin = server.plugin;
  let proof = login.proof;
  if (isPlugin(login.plugin)) plugin = login.plugin;
  else {
    await connection.write(p.switchPacket(answer.sequence + 1, plugin, nonce));
    answer = await p.readPacket(connection, MAX_LOGIN);
    if (answer === undefined) return undefined;
    proof = answer.body;
  }
  const password = server.catalog.roles.get(login.user);
  let next = answer.sequence + 1;
  if (!server.catalog.roles.has(login.user) || !proves(plugin, proof, password ?? '', nonce)) {
    const host = connection.stream.remoteAddress ?? '';
    const text = `Access denied for user '${login.user}'@'${host}' (using password: ${proof.length > 1 ? 'YES' : 'NO'})`;
    await connection.write(p.errorPacket(next, 1045, '28000', text));
    return undefined;
  }
  if (login.database !== undefined && !server.catalog.databases.has(login.database)) {
    await connection.write(p.errorPacket(next, 1049, '42000', `Unknown database '${login.database}'`));
    return undefined;
  }
  if (plugin === 'caching_sha2_password' && proof.length > 1) await connection.write(p.provenPacket(next++));
  return { login, next };
}

async function converse(server: MysqlServer, thread: number, connection: Connection): Promise<void> {
  const entered = await logIn(server, connection, thread);
  if (entered === undefined) return;
  await connection.write(p.okPacket(entered.next));
  const { process, catalog, version, startedAt } = server;
  const { clock } = process.container;
  const session: MysqlSession = {
    catalog,
    version,
    user: entered.login.user,
    host: connection.stream.remoteAddress ?? 'localhost',
    database: entered.login.database,
    thread,
    now: () => clock.now(),
    uptime: () => Math.floor((clock.now() - startedAt) / 1000),
  };
  for (;;) {
    const asked = await p.readPacket(connection, MAX_PACKET);
    if (asked === undefined || asked.body[0] === COMMAND.quit) return;
    await process.turn();
    await connection.write(await answer(process, session, asked));
  }
}

async function answer(process: Process, session: MysqlSession, { sequence, body }: p.Packet): Promise<Buffer> {
  const next = sequence + 1;
  const text = body.toString('utf8', 1);
  switch (body[0]) {
    case COMMAND.ping:
    case COMMAND.reset:
      return p.okPacket(next);
    case COMMAND.setOption:
    case COMMAND.fieldList:
      return p.eofPacket(next);
    case COMMAND.statistics:
      return p.packet(
        next,
        Buffer.from(`Uptime: ${session.uptime()}  Threads: 1  Questions: 1  Slow queries: 0  Opens: 0  Open tables: 0`),
      );
    case COMMAND.initDatabase:
      if (!session.catalog.databases.has(text))
        return p.errorPacket(next, 1049, '42000', `Unknown database '${text.slice(0, 64)}'`);
      session.database = text;
      return p.okPacket(next);
    case COMMAND.query:
      return query(process, session, next, text);
    default:
      return p.errorPacket(next, 1235, '42000', `command ${body[0] ?? 0}: not simulated; see \`kubette images\``);
  }
}

/** Of several statements the last one's outcome is told, as to a client that has not asked for more. */
async function query({ turn }: Process, session: MysqlSession, next: number, text: string): Promise<Buffer> {
  try {
    let reply = p.okPacket(next);
    for (const { result } of runMysql(session, text)) {
      await turn();
      reply = result === undefined ? p.okPacket(next) : p.resultPackets(next, result);
    }
    return reply;
  } catch (error) {
    return errorOf(next, error);
  }
}

/** Serves the protocol on --port, or 3306. Keeps databases and users, no tables. */
export const mysqlServer =
  (options: MysqlServerOptions): Program =>
  async process => {
    const { container, stderr, args } = process;
    const given = args.find(arg => arg.startsWith('--port='))?.slice('--port='.length);
    const port = Number(given ?? '3306');
    const time = new Date(container.clock.now()).toISOString();
    const server: MysqlServer = { ...options, process, startedAt: container.clock.now() };
    let thread = 7;
    const serving = serveConnections(process, [{ port, talk: connection => converse(server, ++thread, connection) }]);
    await stderr.write(
      `${time} 0 [System] [Server] ${args[0] ?? 'mysqld'}: ready for connections. Version: '${options.version}'  socket: '/var/run/mysqld/mysqld.sock'  port: ${port}  (simulated: it keeps no tables)\n`,
    );
    return serving;
  };
