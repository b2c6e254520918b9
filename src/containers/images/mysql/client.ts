import { NetworkError } from '../../network/errors.js';
import type { Account } from '../../machine/memory.js';
import type { Process } from '../../process.js';
import { dial, Gone, UnknownHost, type Connection } from '../connections.js';
import { isPlugin, proofOf } from './auth.js';
import * as p from './packets.js';

export interface Target {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string | undefined;
}

/** An error packet: `number` is MySQL's. */
export class ServerError extends Error {
  override readonly name = 'ServerError';

  constructor(
    readonly number: number,
    readonly state: string,
    message: string,
  ) {
    super(message);
  }
}

export interface ResultSet {
  readonly columns: readonly string[];
  readonly rows: (string | null)[][];
}

/** An answer's packet is no larger. */
const MAX_PACKET = 1024 * 1024;
/** Rows of one answer. */
const MAX_ROWS = 10_000;
const OK = 0;
const EOF = 0xfe;
const ERROR = 0xff;

/** @throws Gone, ServerError */
async function receive(connection: Connection): Promise<p.Packet> {
  const packet = await p.readPacket(connection, MAX_PACKET);
  if (packet === undefined) throw new Gone();
  const { body } = packet;
  if (body[0] !== ERROR) return packet;
  throw new ServerError(body.readUInt16LE(1), body.toString('utf8', 4, 9), body.toString('utf8', 9));
}

/** Opens a connection and says who it is. @throws NetworkError, UnknownHost, Gone, ServerError */
export async function connect(process: Process, target: Target): Promise<Connection> {
  const connection = await dial(process, target.host === 'localhost' ? '127.0.0.1' : target.host, target.port);
  try {
    await logIn(connection, target);
    return connection;
  } catch (error) {
    connection.stream.destroy();
    throw error;
  }
}

async function logIn(connection: Connection, { user, password, database }: Target): Promise<void> {
  const first = await receive(connection);
  const greeting = p.readGreeting(first.body);
  if (greeting === undefined) throw new Gone();
  const { nonce, plugin } = greeting;
  const proof = isPlugin(plugin) ? proofOf(plugin, password, nonce) : Buffer.alloc(0);
  await connection.write(p.loginPacket(first.sequence + 1, { user, proof, database, plugin }));
  for (;;) {
    const { body } = await receive(connection);
    if (body[0] === OK) return;
    // "Proven" comes before OK; another way to prove it is none that these servers ask for.
    if (body[0] !== 1) throw new Gone();
  }
}

/** One statement; its rows count as memory. @throws Gone, ServerError, Killed */
export async function ask(connection: Connection, text: string, held: Account): Promise<ResultSet | undefined> {
  await connection.write(p.packet(0, Buffer.from([3]), Buffer.from(text, 'utf8')));
  const head = await receive(connection);
  if (head.body[0] === OK) return undefined;
  const [count = 0] = head.body;
  const columns: string[] = [];
  for (let i = 0; i < count; i++)
    columns.push(p.readTexts((await receive(connection)).body.subarray(0, -13))?.[4] ?? '');
  await receive(connection);
  const rows: (string | null)[][] = [];
  for (;;) {
    const { body } = await receive(connection);
    if (body[0] === EOF && body.length < 9) return { columns, rows };
    held.add(body.length);
    if (rows.length >= MAX_ROWS) throw new Error(`more than ${MAX_ROWS} rows are not simulated`);
    rows.push(p.readTexts(body) ?? []);
  }
}

/** COM_STATISTICS and COM_PING. @throws Gone, ServerError */
export async function command(connection: Connection, code: number): Promise<string> {
  await connection.write(p.packet(0, Buffer.from([code])));
  return (await receive(connection)).body.toString('utf8');
}

/** Why no connection came about, in libmysql's words; undefined: it was something else. */
export function connectionProblem(error: unknown, { host, port }: Target): string | undefined {
  if (error instanceof ServerError) return `ERROR ${error.number} (${error.state}): ${error.message}`;
  if (error instanceof UnknownHost) return `ERROR 2005 (HY000): Unknown MySQL server host '${host}' (-2)`;
  if (error instanceof Gone)
    return "ERROR 2013 (HY000): Lost connection to MySQL server at 'reading initial communication packet', system error: 0";
  if (!(error instanceof NetworkError)) return undefined;
  if (host === 'localhost')
    return "ERROR 2002 (HY000): Can't connect to local MySQL server through socket '/var/run/mysqld/mysqld.sock' (2)";
  const errno =
    { ECONNREFUSED: 111, ETIMEDOUT: 110, EHOSTUNREACH: 113, ENETUNREACH: 101, ECONNRESET: 104 }[error.code as string] ??
    5;
  return `ERROR 2003 (HY000): Can't connect to MySQL server on '${host}:${port}' (${errno})`;
}
