import { FileError, resolvePath } from '../../file-system.js';
import type { Process, Program } from '../../process.js';
import { serveConnections, type Connection } from '../connections.js';
import { LineTooLong } from '../stream-reader.js';
import { collectionCommands } from './collections.js';
import { connectionCommands, leave, REDIS_VERSION } from './connection-commands.js';
import { keyCommands } from './keys.js';
import { Keyspace, KeyspaceFull } from './keyspace.js';
import {
  array,
  encodeReply,
  error,
  OK,
  ProtocolError,
  readCommand,
  simple,
  splitWords,
  weighReply,
  type Reply,
} from './resp.js';
import { Refused, type CommandSpec, type RedisServer, type Session } from './session.js';
import { stringCommands } from './strings.js';

const COMMANDS: ReadonlyMap<string, CommandSpec> = new Map(
  [stringCommands, keyCommands, collectionCommands, connectionCommands].flatMap(table => Object.entries(table)),
);
const TOO_LARGE = error('ERR an answer of more than 32 MB is not simulated');
const DATABASES = 16;
/** Commands between MULTI and EXEC. */
const MAX_QUEUE = 1000;
/** An answer is made in one piece. */
const MAX_REPLY = 32 * 1024 * 1024;
const BEFORE_AUTH = new Set(['AUTH', 'HELLO', 'QUIT']);
const WHILE_SUBSCRIBED = new Set(['SUBSCRIBE', 'UNSUBSCRIBE', 'PING', 'QUIT']);

/** The largest setting file that is read. */
const DEFAULTS: readonly (readonly [string, string])[] = [
  ['port', '6379'],
  ['requirepass', ''],
  ['maxmemory', '0'],
  ['maxmemory-policy', 'noeviction'],
  ['save', '3600 1 300 100 60 10000'],
  ['appendonly', 'no'],
  ['databases', String(DATABASES)],
  ['timeout', '0'],
  ['dir', '/data'],
];

/** Options of a settings file and of the command line, in redis' order; later ones win. @throws FileError */
async function settingsOf(process: Process): Promise<Map<string, string>> {
  const settings = new Map(DEFAULTS);
  const args = [...process.args.slice(1)];
  const [first] = args;
  if (first !== undefined && !first.startsWith('-')) {
    args.shift();
    const text = (await process.container.files.read(resolvePath(process.cwd, first))).toString('latin1');
    for (const line of text.split('\n')) {
      const [name, ...values] = splitWords(line.trim()) ?? [];
      if (name !== undefined && !name.startsWith('#')) settings.set(name.toLowerCase(), values.join(' '));
    }
  }
  let name: string | undefined;
  for (const arg of args) {
    if (arg.startsWith('--')) settings.set((name = arg.slice(2).toLowerCase()), '');
    else if (name !== undefined) settings.set(name, [settings.get(name), arg].filter(Boolean).join(' '));
  }
  return settings;
}

/** What a connection answers to one command. */
async function answer(session: Session, [given = '', ...args]: readonly string[]): Promise<Reply> {
  const name = given.toUpperCase();
  const spec = COMMANDS.get(name);
  if (!session.authenticated && !BEFORE_AUTH.has(name)) return error('NOAUTH Authentication required.');
  if (spec === undefined)
    return error(
      `ERR unknown command '${given.slice(0, 128)}', with args beginning with: ${args
        .slice(0, 3)
        .map(arg => `'${arg.slice(0, 64)}' `)
        .join('')}`,
    );
  if (args.length < spec.min || args.length > spec.max)
    return error(`ERR wrong number of arguments for '${given.toLowerCase()}' command`);
  if (session.subscribed.size > 0 && session.version === 2 && !WHILE_SUBSCRIBED.has(name))
    return error(
      `ERR Can't execute '${given.toLowerCase()}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context`,
    );
  session.server.counts.commands++;
  try {
    return await spec.run(session, args);
  } catch (problem) {
    if (problem instanceof Refused) return problem.reply;
    if (problem instanceof KeyspaceFull) return error("OOM command not allowed when used memory > 'maxmemory'.");
    throw problem;
  }
}

/** The same with MULTI, EXEC and DISCARD, which are about the commands between them. */
async function transact(session: Session, words: readonly string[]): Promise<Reply> {
  const name = (words[0] ?? '').toUpperCase();
  if (!session.authenticated) return answer(session, words);
  const { queue } = session;
  if (name === 'MULTI') {
    if (queue !== undefined) return error('ERR MULTI calls can not be nested');
    session.queue = [];
    return OK;
  }
  if (name === 'EXEC' || name === 'DISCARD') {
    if (queue === undefined) return error(`ERR ${name} without MULTI`);
    session.queue = undefined;
    if (name === 'DISCARD') return OK;
    const replies: Reply[] = [];
    for (const command of queue) replies.push(await answer(session, command));
    return array(replies);
  }
  if (queue === undefined) return answer(session, words);
  if (queue.length >= MAX_QUEUE) return error(`ERR more than ${MAX_QUEUE} commands of a transaction are not simulated`);
  queue.push([...words]);
  return simple('QUEUED');
}

async function converse(server: RedisServer, id: number, connection: Connection): Promise<void> {
  const { stream, reader } = connection;
  const held = server.process.container.budget.memory.account();
  const session: Session = {
    id,
    server,
    database: 0,
    authenticated: server.password === undefined,
    version: 2,
    name: '',
    address: `${stream.remoteAddress ?? '?'}:${stream.remotePort ?? 0}`,
    subscribed: new Set(),
    queue: undefined,
    leaving: false,
    push(reply) {
      connection.post(Buffer.from(encodeReply(reply, session.version), 'latin1'));
    },
  };
  server.sessions.add(session);
  server.counts.connections++;
  try {
    while (!session.leaving) {
      const words = await readCommand(reader);
      if (words === undefined) return;
      if (words.length === 0) continue;
      await server.process.turn();
      if (session.queue !== undefined) held.add(words.reduce((sum, word) => sum + word.length + 64, 0));
      else if (held.bytes > 0) held.remove(held.bytes);
      const said = await transact(session, words);
      const reply = encodeReply(weighReply(said) > MAX_REPLY ? TOO_LARGE : said, session.version);
      await connection.write(Buffer.from(reply, 'latin1'));
    }
  } catch (problem) {
    if (!(problem instanceof ProtocolError || problem instanceof LineTooLong)) throw problem;
    const text = problem instanceof LineTooLong ? 'too big mbulk count string' : problem.message;
    await connection.write(encodeReply(error(`ERR Protocol error: ${text}`)));
  } finally {
    held.close();
    server.sessions.delete(session);
    for (const channel of session.subscribed) leave(session, channel);
  }
}

/** redis-server [FILE] [--OPTION VALUE...]: speaks RESP2, keeps its keys in memory as long as it runs. */
export const redisServer: Program = async process => {
  const { container, stdout, memory } = process;
  const [flag] = process.args.slice(1);
  if (flag === '-v' || flag === '--version') {
    await stdout.write(`Redis server v=${REDIS_VERSION} sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=0\n`);
    return 0;
  }
  let settings: Map<string, string>;
  try {
    settings = await settingsOf(process);
  } catch (problem) {
    if (!(problem instanceof FileError)) throw problem;
    await stdout.write(
      `${process.pid}:C # Fatal error, can't open config file '${process.args[1] ?? ''}': ${problem.message}\n`,
    );
    return 1;
  }
  const port = Number(settings.get('port'));
  const password = settings.get('requirepass');
  const startedAt = container.clock.now();
  const server: RedisServer = {
    process,
    port,
    databases: Array.from({ length: DATABASES }, () => new Keyspace(memory, container.clock)),
    password: password === '' ? undefined : password,
    startedAt,
    sessions: new Set(),
    channels: new Map(),
    settings,
    counts: { commands: 0, connections: 0 },
    runId: Array.from({ length: 40 }, () => Math.floor(container.random() * 16).toString(16)).join(''),
    usedMemory: () => memory.bytes,
  };
  const log = (text: string): void | Promise<void> =>
    stdout.write(`${process.pid}:M ${new Date(container.clock.now()).toUTCString().slice(5, 25)}.000 * ${text}\n`);
  await log(`Redis version=${REDIS_VERSION}, bits=64, simulated, pid=${process.pid}`);
  await log(`Running mode=standalone, port=${port}.`);
  await log('Ready to accept connections tcp');
  let next = 0;
  const code = await serveConnections(process, [{ port, talk: connection => converse(server, ++next, connection) }]);
  await log('Redis is now ready to exit, bye bye...');
  return code;
};
