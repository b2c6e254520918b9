import { NetworkError } from '../../network/errors.js';
import type { Account } from '../../machine/memory.js';
import type { Process } from '../../process.js';
import { dial, Gone, UnknownHost, type Connection } from '../connections.js';
import * as m from './messages.js';
import { readServerUrl } from '../server-url.js';

/** Where a client goes, and as whom. */
export interface Target {
  /** Undefined: the local socket. */
  readonly host: string | undefined;
  readonly port: number;
  readonly user: string;
  readonly database: string | undefined;
  readonly password: string | undefined;
}

export interface ResultSet {
  readonly columns: readonly { readonly name: string; readonly numeric: boolean }[];
  readonly rows: (string | null)[][];
}

/** What came for one query: results and tags in their order, or what was wrong. */
export type Answer =
  | { readonly kind: 'rows'; readonly set: ResultSet }
  | { readonly kind: 'tag'; readonly tag: string }
  | { readonly kind: 'error'; readonly severity: string; readonly message: string };

/** A server that does not let in. */
export class Rejected extends Error {
  override readonly name = 'Rejected';
}

/** A server's message is no larger than this. */
const MAX_MESSAGE = 1024 * 1024;
/** Rows of one answer. */
const MAX_ROWS = 10_000;
const SOCKET = '/var/run/postgresql';

export const targetText = ({ host, port }: Target): string => `${host ?? SOCKET}:${port}`;

/** As libpq says where it did not get through. */
export function describeTarget({ host, port }: Target, address: string | undefined): string {
  if (host === undefined) return `connection to server on socket "${SOCKET}/.s.PGSQL.${port}" failed`;
  return `connection to server at "${host}"${address === undefined || address === host ? '' : ` (${address})`}, port ${port} failed`;
}

/** Why no connection came about, in libpq's words; undefined: it was something else. */
export function connectionProblem(error: unknown, target: Target): string | undefined {
  const { host } = target;
  if (error instanceof UnknownHost)
    return `could not translate host name "${host ?? ''}" to address: Name or service not known`;
  if (error instanceof Rejected) return `${describeTarget(target, undefined)}: ${error.message}`;
  if (error instanceof Gone) return `${describeTarget(target, undefined)}: server closed the connection unexpectedly`;
  if (!(error instanceof NetworkError)) return undefined;
  const hint =
    host === undefined
      ? 'Is the server running locally and accepting connections on that socket?'
      : 'Is the server running on that host and accepting TCP/IP connections?';
  return `${describeTarget(target, undefined)}: ${host === undefined ? 'No such file or directory' : error.text}\n\t${hint}`;
}

export const open = (process: Process, { host, port }: Target): Promise<Connection> =>
  dial(process, host ?? '127.0.0.1', port);

/** @throws Gone */
export async function receive({ reader }: Connection): Promise<{ letter: string; body: Buffer }> {
  const head = await reader.bytes(5);
  const length = head?.readInt32BE(1) ?? 0;
  if (head === undefined || length < 4 || length > MAX_MESSAGE) throw new Gone();
  const body = await reader.bytes(length - 4);
  if (body === undefined) throw new Gone();
  return { letter: head.toString('latin1', 0, 1), body };
}

/** Says who it is, and waits until it may ask. @throws Rejected, Gone */
export async function logIn(connection: Connection, { user, database, password }: Target): Promise<void> {
  await connection.write(
    m.startup({ user, database: database ?? user, application_name: 'psql', client_encoding: 'UTF8' }),
  );
  for (;;) {
    const { letter, body } = await receive(connection);
    if (letter === 'Z') return;
    if (letter === 'E') {
      const { S = 'FATAL', M = '' } = m.errorFields(body);
      throw new Rejected(`${S}:  ${M}`);
    }
    if (letter !== 'R') continue;
    const kind = body.length >= 4 ? body.readInt32BE(0) : -1;
    if (kind === 0) continue;
    if (kind !== 3) throw new Rejected(`authentication method ${kind} is not simulated`);
    if (password === undefined) throw new Rejected('fe_sendauth: no password supplied');
    await connection.write(m.passwordMessage(password));
  }
}

/** Sends a text of statements and yields what comes of each; rows count as memory. @throws Gone, Killed */
export async function* ask(connection: Connection, text: string, held: Account): AsyncGenerator<Answer> {
  await connection.write(m.query(text));
  let set: ResultSet | undefined;
  for (;;) {
    const { letter, body } = await receive(connection);
    if (letter === 'Z') return;
    if (letter === 'T') set = { columns: columnsOf(body), rows: [] };
    else if (letter === 'D') {
      held.add(body.length);
      if (set !== undefined && set.rows.length >= MAX_ROWS)
        throw new Error(`more than ${MAX_ROWS} rows are not simulated`);
      set?.rows.push(valuesOf(body));
    } else if (letter === 'C') {
      if (set !== undefined) yield { kind: 'rows', set };
      else yield { kind: 'tag', tag: m.cstringsOf(body, 0, 1)?.texts[0] ?? '' };
      set = undefined;
    } else if (letter === 'E') {
      const { S = 'ERROR', M = '' } = m.errorFields(body);
      yield { kind: 'error', severity: S, message: M };
    }
  }
}

const NUMERIC = new Set([20, 21, 23, 700, 701, 1700]);

function columnsOf(body: Buffer): ResultSet['columns'] {
  const columns: { name: string; numeric: boolean }[] = [];
  for (let at = 2; at < body.length;) {
    const name = m.cstringsOf(body, at, 1);
    if (name === undefined || name.end + 18 > body.length) break;
    columns.push({ name: name.texts[0] ?? '', numeric: NUMERIC.has(body.readInt32BE(name.end + 6)) });
    at = name.end + 18;
  }
  return columns;
}

function valuesOf(body: Buffer): (string | null)[] {
  const values: (string | null)[] = [];
  for (let at = 2; at + 4 <= body.length;) {
    const length = body.readInt32BE(at);
    at += 4;
    values.push(length < 0 ? null : body.toString('utf8', at, at + length));
    at += Math.max(0, length);
  }
  return values;
}

/** What the environment and an address (postgres://…, "host=… dbname=…") say. */
export function targetOf(env: Readonly<Record<string, string>>, given: Partial<Target>, address = ''): Target {
  const base: Target = {
    host: env['PGHOST'],
    port: Number(env['PGPORT'] ?? '5432'),
    user: env['PGUSER'] ?? env['POSTGRES_USER'] ?? 'postgres',
    database: env['PGDATABASE'],
    password: env['PGPASSWORD'],
  };
  const target = { ...base, ...fromAddress(address), ...given };
  return target.host?.startsWith('/') === true ? { ...target, host: undefined } : target;
}

function fromAddress(text: string): Partial<Target> {
  if (/^postgres(?:ql)?:\/\//.test(text)) {
    const { host, port, user, password, database = '' } = readServerUrl(text);
    return defined({ host, port, user, password, database: decodeURIComponent(database) });
  }
  if (!text.includes('=')) return defined({ database: text });
  const words = new Map(text.split(/\s+/).map(word => [word.split('=', 1)[0], word.slice(word.indexOf('=') + 1)]));
  const port = words.get('port');
  return defined({
    host: words.get('host'),
    port: port === undefined ? undefined : Number(port),
    user: words.get('user'),
    password: words.get('password'),
    database: words.get('dbname'),
  });
}

/** Without what says nothing. */
export const defined = (target: { readonly [K in keyof Target]?: Target[K] | undefined }): Partial<Target> =>
  Object.fromEntries(Object.entries(target).filter(([, value]) => value !== undefined && value !== ''));
