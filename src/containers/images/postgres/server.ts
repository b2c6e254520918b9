import type { Process, Program } from '../../process.js';
import { serveConnections, type Connection } from '../connections.js';
import type { Catalog, Outcome } from '../sql/catalog.js';
import * as m from './messages.js';
import { extendedQuery, type Portals } from './extended-query.js';
import { problemOf } from './problem.js';
import { PG_VERSION, runPg, type PgSession } from './sql.js';

/** A statement; as much as anybody writes by hand. */
const MAX_MESSAGE = 256 * 1024;
const MAX_STARTUP = 10_000;

export interface PgServer {
  readonly process: Process;
  readonly catalog: Catalog;
  /** Nobody is asked for a password. */
  readonly trusts: boolean;
  readonly log: (text: string) => void;
}

/** What a client says first, TLS and encryption refused; undefined: it left, or spoke of something else. */
async function readStartup({ reader, write }: Connection): Promise<Map<string, string> | undefined> {
  for (let asked = 0; asked < 3; asked++) {
    const head = await reader.bytes(8);
    if (head === undefined) return undefined;
    const [length, code] = [head.readInt32BE(0), head.readInt32BE(4)];
    if (code === m.SSL_REQUEST || code === m.GSS_REQUEST) {
      await write('N');
      continue;
    }
    if (code === m.CANCEL_REQUEST || length < 9 || length > MAX_STARTUP) return undefined;
    const body = await reader.bytes(length - 8);
    if (body === undefined) return undefined;
    if (code >> 16 !== 3) {
      const version = `${code >> 16}.${code & 0xffff}`;
      await write(
        m.errorResponse('FATAL', '0A000', `unsupported frontend protocol ${version}: server supports 3.0 to 3.0`),
      );
      return undefined;
    }
    if ((code & 0xffff) > 0) await write(m.negotiateVersion());
    const words = body.toString('utf8').split('\0');
    return new Map(Array.from({ length: words.length >> 1 }, (_, i) => [words[2 * i] ?? '', words[2 * i + 1] ?? '']));
  }
  return undefined;
}

/** The next message; undefined at the end, or when it is larger than any. */
async function readMessage({ reader }: Connection): Promise<{ letter: string; body: Buffer } | undefined> {
  const head = await reader.bytes(5);
  if (head === undefined) return undefined;
  const length = head.readInt32BE(1);
  if (length < 4 || length > MAX_MESSAGE) return undefined;
  const body = await reader.bytes(length - 4);
  return body === undefined ? undefined : { letter: head.toString('latin1', 0, 1), body };
}

/** Whether it comes from the Pod itself: nobody else reaches its loopback. */
const isLocal = ({ stream }: Connection): boolean =>
  stream.localAddress?.startsWith('127.') === true || stream.localAddress === '::1';

/** Why somebody is not let in; undefined: they are. As the image's pg_hba.conf: who comes from the Pod itself is trusted. */
async function refusal(
  server: PgServer,
  connection: Connection,
  user: string,
  database: string,
): Promise<[string, string] | undefined> {
  const { catalog, trusts } = server;
  if (!trusts && !isLocal(connection)) {
    await connection.write(m.authentication(3));
    const answer = await readMessage(connection);
    const given = answer?.letter === 'p' ? m.cstringsOf(answer.body, 0, 1)?.texts[0] : undefined;
    const wanted = catalog.roles.get(user);
    if (wanted === undefined || given !== wanted) return ['28P01', `password authentication failed for user "${user}"`];
  }
  if (!catalog.roles.has(user)) return ['28000', `role "${user}" does not exist`];
  return catalog.databases.has(database) ? undefined : ['3D000', `database "${database}" does not exist`];
}

const STATUS: Readonly<Record<string, string>> = {
  server_version: PG_VERSION,
  server_encoding: 'UTF8',
  client_encoding: 'UTF8',
  DateStyle: 'ISO, MDY',
  TimeZone: 'UTC',
  integer_datetimes: 'on',
  standard_conforming_strings: 'on',
};

async function converse(server: PgServer, pid: number, connection: Connection): Promise<void> {
  const settings = await readStartup(connection);
  if (settings === undefined) return;
  const user = settings.get('user') ?? '';
  const database = settings.get('database') ?? user;
  const problem = await refusal(server, connection, user, database);
  if (problem !== undefined) {
    server.log(`FATAL:  ${problem[1]}`);
    return void (await connection.write(m.errorResponse('FATAL', ...problem)));
  }
  const { process, catalog } = server;
  const { clock, random } = process.container;
  const session: PgSession = { catalog, user, database, pid, now: () => clock.now() };
  await connection.write(
    Buffer.concat([
      m.authentication(0),
      ...Object.entries(STATUS).map(([name, value]) => m.parameterStatus(name, value)),
      m.backendKey(pid, Math.floor(random() * 0x7fffffff)),
      m.readyForQuery('I'),
    ]),
  );
  const portals: Portals = { statements: new Map(), portals: new Map(), failed: false };
  let state: 'I' | 'T' | 'E' = 'I';
  const follow = (outcome: Outcome): void => {
    if (outcome.tag === 'BEGIN') state = 'T';
    else if (outcome.tag === 'COMMIT' || outcome.tag === 'ROLLBACK') state = 'I';
  };
  for (;;) {
    const asked = await readMessage(connection);
    if (asked === undefined || asked.letter === 'X') return;
    await process.turn();
    if (asked.letter === 'Q') {
      const text = m.cstringsOf(asked.body, 0, 1)?.texts[0] ?? '';
      const { answer, outcomes } = await simpleQuery(process, session, text);
      outcomes.forEach(follow);
      await connection.write(Buffer.concat([...answer, m.readyForQuery(state)]));
    } else if (asked.letter === 'S') {
      portals.failed = false;
      await connection.write(m.readyForQuery(state));
    } else await connection.write(extendedQuery(session, portals, asked.letter, asked.body));
  }
}

/** All statements of a text; the first that fails ends it. */
async function simpleQuery(
  { turn }: Process,
  session: PgSession,
  text: string,
): Promise<{ answer: Buffer[]; outcomes: Outcome[] }> {
  const answer: Buffer[] = [];
  const outcomes: Outcome[] = [];
  try {
    for (const outcome of runPg(session, text)) {
      await turn();
      outcomes.push(outcome);
      if (outcome.result !== undefined)
        answer.push(m.rowDescription(outcome.result), ...outcome.result.rows.map(m.dataRow));
      answer.push(m.commandComplete(outcome));
    }
    if (outcomes.length === 0) answer.push(m.message('I'));
  } catch (error) {
    answer.push(problemOf(error));
  }
  return { answer, outcomes };
}

/** Serves the protocol on the port of -p or -c port=, or 5432. Keeps databases and roles, no tables. */
export const postgresServer =
  (catalog: Catalog, trusts: boolean): Program =>
  async process => {
    const { container, stderr, args } = process;
    const at = args.indexOf('-p');
    const port = Number(at < 0 ? (args.find(arg => arg.startsWith('port='))?.slice(5) ?? '5432') : args[at + 1]);
    const log = (text: string): void => {
      const time = new Date(container.clock.now()).toISOString().replace('T', ' ').replace('Z', ' UTC');
      const written = stderr.write(`${time} [${process.pid}] ${text}\n`);
      // Who is killed while the line waits for its turn says no more.
      written?.catch((error: unknown) => {
        if (!process.signal.aborted) throw error;
      });
    };
    const server: PgServer = { process, catalog, trusts, log };
    log(`LOG:  starting PostgreSQL ${PG_VERSION} (simulated: it keeps no tables)`);
    log(`LOG:  listening on IPv4 address "0.0.0.0", port ${port}`);
    let pid = 100;
    const serving = serveConnections(process, [{ port, talk: connection => converse(server, ++pid, connection) }]);
    log('LOG:  database system is ready to accept connections');
    const code = await serving;
    log('LOG:  database system is shut down');
    return code;
  };
