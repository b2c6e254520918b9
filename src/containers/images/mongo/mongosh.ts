import { inspect } from 'node:util';
import { NetworkError } from '../../network/errors.js';
import type { Process, Program } from '../../process.js';
import { Gone, UnknownHost } from '../connections.js';
import { inputLines } from '../input-lines.js';
import { notSimulated } from '../not-simulated.js';
import { documentOf, isDocument, type Document, type Value } from './bson.js';
import { logIn, MongoServerError, openMongo, textOf, type MongoClient } from './client.js';
import { NotAnExpression, parseExpressions, type Expression } from './expression.js';
import { MONGO_VERSION } from './server.js';
import { readServerUrl } from '../server-url.js';

const VERSION = '2.5.7';

interface Options {
  host: string;
  port: number;
  user: string | undefined;
  password: string;
  authDatabase: string | undefined;
  database: string;
  evals: string[];
}

const FLAGS: Readonly<Record<string, (options: Options, value: string) => void>> = {
  host: (options, value) => {
    const [host = '', port] = value.split(':');
    options.host = host;
    if (port !== undefined) options.port = Number(port);
  },
  port: (options, value) => void (options.port = Number(value)),
  username: (options, value) => void (options.user = value),
  u: (options, value) => void (options.user = value),
  password: (options, value) => void (options.password = value),
  p: (options, value) => void (options.password = value),
  authenticationDatabase: (options, value) => void (options.authDatabase = value),
  authenticationMechanism: () => undefined,
  eval: (options, value) => void options.evals.push(value),
};

function parse({ args }: Process): Options {
  const options: Options = {
    host: '127.0.0.1',
    port: 27_017,
    user: undefined,
    password: '',
    authDatabase: undefined,
    database: 'test',
    evals: [],
  };
  for (let i = 1; i < args.length; i++) {
    const word = args[i] ?? '';
    if (!word.startsWith('-')) {
      readAddress(options, word);
      continue;
    }
    const bare = word.replace(/^--?/, '');
    const equals = bare.indexOf('=');
    const name = equals < 0 ? bare : bare.slice(0, equals);
    const set = Object.hasOwn(FLAGS, name) ? FLAGS[name] : undefined;
    set?.(options, equals < 0 ? (args[++i] ?? '') : bare.slice(equals + 1));
  }
  return options;
}

/** "mongodb://user:password@host:port/name?...", "host:port/name" or "name". */
function readAddress(options: Options, text: string): void {
  if (text.startsWith('mongodb://')) {
    const url = readServerUrl(text);
    options.host = url.host;
    options.port = url.port ?? 27017;
    options.user = url.user ?? options.user;
    options.password = url.password ?? options.password;
    options.database = url.database ?? options.database;
    options.authDatabase = url.parameters.get('authSource') ?? options.authDatabase;
    return;
  }
  const slash = text.lastIndexOf('/');
  if (slash < 0) options.database = text;
  else {
    FLAGS['host']?.(options, text.slice(0, slash));
    options.database = text.slice(slash + 1);
  }
}

/** An order to end, of quit() or exit. */
class Quit extends Error {
  override readonly name = 'Quit';

  constructor(readonly code: number) {
    super('quit');
  }
}

/** Something that a name stands for, which is no value. */
interface Reference {
  readonly path: string;
  readonly database: string;
}

type Result = Value | Reference | undefined;
const isReference = (result: Result): result is Reference =>
  typeof result === 'object' && result !== null && 'path' in result;

interface Shell {
  readonly process: Process;
  readonly client: MongoClient;
  readonly database: string;
}

const plain = (value: Result): unknown => {
  if (value instanceof Map)
    return Object.fromEntries([...(value as Document)].map(([name, inner]) => [name, plain(inner)]));
  if (Array.isArray(value)) return (value as readonly Value[]).map(plain);
  return typeof value === 'bigint' ? Number(value) : value;
};

const shown = (value: Result): string =>
  typeof value === 'string' ? value : inspect(plain(value), { depth: 6, maxArrayLength: 100, breakLength: 72 });

/** What a function of the shell gives; undefined: there is none of that name. */
async function call(
  { process, client }: Shell,
  { path, database }: Reference,
  args: readonly Value[],
): Promise<{ value: Result } | undefined> {
  const [first] = args;
  const command = isDocument(first) ? first : documentOf({ [textOf(first)]: 1 });
  const named = async (where: string, name: string): Promise<{ value: Result }> => ({
    value: await client.run(where, documentOf({ [name]: 1 })),
  });
  switch (path) {
    case 'db.adminCommand':
      return { value: await client.run('admin', command) };
    case 'db.runCommand':
      return { value: await client.run(database, command) };
    case 'db.hello':
    case 'db.isMaster':
    case 'rs.hello':
    case 'rs.isMaster':
      return named(database, 'hello');
    case 'db.serverStatus':
      return named('admin', 'serverStatus');
    case 'rs.status':
      return named('admin', 'replSetGetStatus');
    case 'db.version':
      return { value: (await client.run('admin', documentOf({ buildInfo: 1 }))).get('version') };
    case 'db.getName':
      return { value: database };
    case 'db.getSiblingDB':
      return { value: { path: 'db', database: textOf(first) } };
    case 'print':
    case 'printjson':
    case 'console.log':
      await process.stdout.write(`${args.map(shown).join(' ')}\n`);
      return { value: undefined };
    case 'JSON.stringify':
      return { value: JSON.stringify(plain(first)) };
    case 'quit':
    case 'process.exit':
    case 'exit':
      throw new Quit(typeof first === 'number' ? first : 0);
    default:
      return undefined;
  }
}

async function evaluate(shell: Shell, expression: Expression): Promise<Result> {
  const valueOf = async (one: Expression): Promise<Value> => {
    const result = await evaluate(shell, one);
    if (isReference(result)) throw new NotAnExpression(result.path);
    return result ?? null;
  };
  switch (expression.kind) {
    case 'literal':
      return expression.value;
    case 'name':
      if (expression.name === 'exit' || expression.name === 'quit')
        return { path: expression.name, database: shell.database };
      return { path: expression.name, database: shell.database };
    case 'member': {
      const of = await evaluate(shell, expression.of);
      if (isReference(of)) return { ...of, path: `${of.path}.${expression.name}` };
      if (isDocument(of)) return of.get(expression.name);
      throw new NotAnExpression(expression.name);
    }
    case 'call': {
      const callee = await evaluate(shell, expression.callee);
      if (!isReference(callee)) throw new NotAnExpression('a call of what is no function');
      const args: Value[] = [];
      for (const arg of expression.args) args.push(await valueOf(arg));
      const called = await call(shell, callee, args);
      if (called === undefined) throw new NotAnExpression(callee.path);
      return called.value;
    }
    case 'object': {
      const document = new Map<string, Value>();
      for (const [name, value] of expression.entries) document.set(name, await valueOf(value));
      return document;
    }
    case 'array': {
      const items: Value[] = [];
      for (const item of expression.items) items.push(await valueOf(item));
      return items;
    }
    case 'not':
      return !truth(await valueOf(expression.value));
    case 'choice':
      return evaluate(shell, truth(await valueOf(expression.test)) ? expression.yes : expression.no);
    case 'binary':
      return binary(expression.operator, await valueOf(expression.left), () => valueOf(expression.right));
  }
}

const truth = (value: Value): boolean => Boolean(value);

async function binary(operator: string, left: Value, right: () => Promise<Value>): Promise<Value> {
  if (operator === '||') return truth(left) ? left : right();
  if (operator === '&&') return truth(left) ? right() : left;
  return (left === (await right())) === operator.startsWith('=');
}

async function runText(shell: Shell, text: string): Promise<void> {
  if (/^show (?:dbs|databases);?$/.test(text.trim())) {
    const found = (await shell.client.run('admin', documentOf({ listDatabases: 1 }))).get('databases');
    for (const one of Array.isArray(found) ? (found as readonly Value[]) : [])
      if (isDocument(one))
        await shell.process.stdout.write(`${shown(one.get('name'))}  ${shown(one.get('sizeOnDisk'))}\n`);
    return;
  }
  let last: Result;
  for (const expression of parseExpressions(text)) last = await evaluate(shell, expression);
  if (isReference(last)) {
    if (last.path === 'exit' || last.path === 'quit') throw new Quit(0);
    throw new NotAnExpression(last.path);
  }
  if (last !== undefined) await shell.process.stdout.write(`${shown(last)}\n`);
}

/** mongosh --eval, or what it reads: expressions that ask a server how it is. */
export const mongosh: Program = async process => {
  const { args, stdout, stderr } = process;
  if (args.includes('--version')) {
    await stdout.write(`${VERSION}\n`);
    return 0;
  }
  if (args.includes('--nodb') && !args.includes('--eval')) return 0;
  const options = parse(process);
  const { host, port, user, password, database, authDatabase, evals } = options;
  let client: MongoClient | undefined;
  try {
    client = await openMongo(process, host, port);
    if (user !== undefined) await logIn(client, authDatabase ?? 'admin', user, password);
    const shell: Shell = { process, client, database };
    for (const text of evals) await runText(shell, text);
    if (evals.length > 0) return 0;
    if (process.tty)
      await stdout.write(`Connecting to: mongodb://${host}:${port}/\nUsing MongoDB: ${MONGO_VERSION}\n${database}> `);
    for await (const line of inputLines(process)) {
      await runText(shell, line);
      if (process.tty) await stdout.write(`${database}> `);
    }
    return 0;
  } catch (error) {
    if (error instanceof Quit) return error.code;
    if (error instanceof NotAnExpression) return notSimulated(process, `JavaScript (${error.message.slice(0, 64)})`);
    const text = problemText(error, host, port);
    if (text === undefined) throw error;
    await stderr.write(`${text}\n`);
    return 1;
  } finally {
    client?.close();
  }
};

function problemText(error: unknown, host: string, port: number): string | undefined {
  if (error instanceof NetworkError) return `MongoNetworkError: connect ${error.code} ${host}:${port}`;
  if (error instanceof UnknownHost) return `MongoNetworkError: getaddrinfo ENOTFOUND ${host}`;
  if (error instanceof Gone) return 'MongoNetworkError: connection closed';
  return error instanceof MongoServerError ? `MongoServerError: ${error.message}` : undefined;
}
