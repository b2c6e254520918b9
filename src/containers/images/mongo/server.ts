import { randomBytes } from 'node:crypto';
import type { Process, Program } from '../../process.js';
import { serveConnections, type Connection } from '../connections.js';
import { flagOf } from '../http/served.js';
import { secretEnv } from '../secret-env.js';
import { BsonError, documentOf, isDocument, type Document, type Value } from './bson.js';
import { answerTo, readMessage } from './messages.js';
import { attributesOf, ITERATIONS, proofs, sameProof, unescapeName } from './scram.js';

export const MONGO_VERSION = '8.0.13';
const MAX_MESSAGE = 256 * 1024;

/** Commands that nobody has to say who they are for. */
const OPEN = new Set([
  'hello',
  'ismaster',
  'isMaster',
  'ping',
  'buildInfo',
  'buildinfo',
  'saslStart',
  'saslContinue',
  'connectionStatus',
  'endSessions',
  'whatsmyuri',
  'getLog',
  'logout',
]);

interface Mongo {
  readonly process: Process;
  /** Undefined: nobody is asked for a password. */
  readonly root: { readonly user: string; readonly password: string } | undefined;
  readonly startedAt: number;
}

interface Session {
  readonly id: number;
  user: string | undefined;
  /** What was said so far, while somebody proves who they are. */
  conversation:
    | { readonly first: string; readonly second: string; readonly salt: Buffer; readonly user: string }
    | undefined;
}

const ok = (entries: Readonly<Record<string, Value>> = {}): Document => documentOf({ ...entries, ok: 1 });
const problem = (code: number, codeName: string, errmsg: string): Document =>
  documentOf({ ok: 0, errmsg, code, codeName });
const cursor = (collection: string, items: readonly Value[]): Document =>
  ok({ cursor: documentOf({ id: 0n, ns: collection, firstBatch: items }) });

function hello({ process, root }: Mongo, session: Session, command: Document): Document {
  const mechanisms =
    command.has('saslSupportedMechs') && root !== undefined ? { saslSupportedMechs: ['SCRAM-SHA-256'] } : {};
  return ok({
    helloOk: true,
    ismaster: true,
    isWritablePrimary: true,
    maxBsonObjectSize: 16_777_216,
    maxMessageSizeBytes: 48_000_000,
    maxWriteBatchSize: 100_000,
    localTime: new Date(process.container.clock.now()),
    logicalSessionTimeoutMinutes: 30,
    connectionId: session.id,
    minWireVersion: 0,
    maxWireVersion: 25,
    readOnly: false,
    ...mechanisms,
  });
}

const DENIED = (): Document => problem(18, 'AuthenticationFailed', 'Authentication failed.');

const payloadOf = (command: Document): string => {
  const payload = command.get('payload');
  return Buffer.isBuffer(payload) ? payload.toString('utf8') : '';
};
const step = (text: string, done: boolean): Document =>
  ok({ conversationId: 1, done, payload: Buffer.from(text, 'utf8') });

function saslStart(session: Session, command: Document): Document {
  if (command.get('mechanism') !== 'SCRAM-SHA-256')
    return problem(334, 'MechanismUnavailable', 'only SCRAM-SHA-256 is simulated');
  // "n,," says that no channel is bound.
  const first = payloadOf(command).replace(/^n,,/, '');
  const attributes = attributesOf(first);
  const salt = randomBytes(16);
  const second = `r=${attributes.get('r') ?? ''}${randomBytes(18).toString('base64')},s=${salt.toString('base64')},i=${ITERATIONS}`;
  session.conversation = { first, second, salt, user: unescapeName(attributes.get('n') ?? '') };
  return step(second, false);
}

async function saslContinue({ root }: Mongo, session: Session, command: Document): Promise<Document> {
  const { conversation } = session;
  const text = payloadOf(command);
  if (text === '' && session.user !== undefined) return step('', true);
  session.conversation = undefined;
  if (conversation === undefined) return DENIED();
  const { first, second, salt, user } = conversation;
  const proofAt = text.lastIndexOf(',p=');
  const wanted = await proofs(
    root?.password ?? '',
    salt,
    ITERATIONS,
    `${first},${second},${text.slice(0, Math.max(0, proofAt))}`,
  );
  const given = Buffer.from(text.slice(proofAt + 3), 'base64');
  if (root === undefined || user !== root.user || proofAt < 0 || !sameProof(given, wanted.client)) return DENIED();
  session.user = user;
  return step(`v=${wanted.server.toString('base64')}`, false);
}

async function answer(server: Mongo, session: Session, command: Document): Promise<Document> {
  const [[name, argument] = ['', null]] = command;
  const { process, root, startedAt } = server;
  if (root !== undefined && session.user === undefined && !OPEN.has(name))
    return problem(13, 'Unauthorized', `Command ${name.slice(0, 64)} requires authentication`);
  const database = command.get('$db');
  const namespace = `${typeof database === 'string' ? database : 'test'}.${typeof argument === 'string' ? argument : '$cmd'}`;
  switch (name) {
    case 'hello':
    case 'ismaster':
    case 'isMaster':
      return hello(server, session, command);
    case 'ping':
    case 'endSessions':
    case 'killCursors':
    case 'logout':
      return ok();
    case 'buildInfo':
    case 'buildinfo':
      return ok({
        version: MONGO_VERSION,
        gitVersion: 'simulated',
        versionArray: [8, 0, 13, 0],
        bits: 64,
        maxBsonObjectSize: 16_777_216,
      });
    case 'saslStart':
      return saslStart(session, command);
    case 'saslContinue':
      return saslContinue(server, session, command);
    case 'connectionStatus':
      return ok({
        authInfo: documentOf({
          authenticatedUsers: session.user === undefined ? [] : [documentOf({ user: session.user, db: 'admin' })],
          authenticatedUserRoles: [],
        }),
      });
    case 'serverStatus': {
      const uptime = Math.floor((process.container.clock.now() - startedAt) / 1000);
      return ok({
        host: process.container.hostname,
        version: MONGO_VERSION,
        process: 'mongod',
        pid: process.pid,
        uptime,
      });
    }
    case 'listDatabases':
      return ok({
        databases: ['admin', 'config', 'local'].map(one => documentOf({ name: one, sizeOnDisk: 40_960, empty: false })),
        totalSize: 122_880,
      });
    case 'listCollections':
      return cursor(`${namespace.split('.', 1)[0] ?? ''}.$cmd.listCollections`, []);
    case 'find':
    case 'aggregate':
      return cursor(namespace, []);
    case 'count':
      return ok({ n: 0 });
    case 'getParameter':
      return ok(
        command.has('featureCompatibilityVersion')
          ? { featureCompatibilityVersion: documentOf({ version: '8.0' }) }
          : {},
      );
    case 'getLog':
      return ok({ totalLinesWritten: 0, log: [] });
    case 'replSetGetStatus':
      return problem(76, 'NoReplicationEnabled', 'not running with --replSet');
    case 'whatsmyuri':
      return ok({ you: '127.0.0.1' });
    default:
      return problem(
        115,
        'CommandNotSupported',
        `${name.slice(0, 64)}: not simulated, this server keeps no documents; see \`kubette images\``,
      );
  }
}

async function converse(server: Mongo, id: number, connection: Connection): Promise<void> {
  const session: Session = { id, user: undefined, conversation: undefined };
  try {
    for (;;) {
      const message = await readMessage(connection, MAX_MESSAGE);
      if (message === undefined) return;
      await server.process.turn();
      const { document } = message;
      // The oldest form has the command in a document of its own.
      const inner = document.get('$query');
      const said = await answer(server, session, isDocument(inner) ? inner : document);
      if (message.wantsAnswer) await connection.write(answerTo(message, said));
    }
  } catch (error) {
    if (!(error instanceof BsonError)) throw error;
  }
}

/** mongod: says hello, pings, lets in who proves a password; collections are empty and take nothing. */
export const mongod: Program = async process => {
  const { args, stdout, container, env } = process;
  if (args.includes('--version')) {
    await stdout.write(`db version v${MONGO_VERSION}\n`);
    return 0;
  }
  const port = Number(flagOf(process, 'port') ?? env['MONGODB_PORT_NUMBER'] ?? '27017');
  const user = (await secretEnv(process, 'MONGO_INITDB_ROOT_USERNAME')) || (env['MONGODB_ROOT_USER'] ?? 'root');
  const password =
    (await secretEnv(process, 'MONGO_INITDB_ROOT_PASSWORD')) || (await secretEnv(process, 'MONGODB_ROOT_PASSWORD'));
  const server: Mongo = {
    process,
    root: password === '' ? undefined : { user, password },
    startedAt: container.clock.now(),
  };
  const time = new Date(container.clock.now()).toISOString();
  await stdout.write(
    `{"t":{"$date":"${time}"},"s":"I","c":"NETWORK","msg":"Waiting for connections","attr":{"port":${port},"simulated":true}}\n`,
  );
  let id = 0;
  return serveConnections(process, [{ port, talk: connection => converse(server, ++id, connection) }]);
};
