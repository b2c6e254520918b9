import { infoText } from './info.js';
import { array, bulk, error, integer, map, OK, push, simple, texts, type Reply } from './resp.js';
import { refuse, wholeNumber, type Command, type CommandSpec, type Session } from './session.js';

const MAX_SUBSCRIPTIONS = 1000;
/** The answer of a command that has sent its answers already. */
const SENT: Reply = { kind: 'none' };
const VERSION = '7.4.6';
export const REDIS_VERSION = VERSION;

const WRONG_PASSWORD = error('WRONGPASS invalid username-password pair or user is disabled.');

const auth: Command = (session, args) => {
  const { password } = session.server;
  const [user, given] = args.length === 2 ? [args[0], args[1]] : ['default', args[0]];
  if (password === undefined)
    return args.length === 2 && user === 'default'
      ? OK
      : refuse(
          'ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?',
        );
  session.authenticated = user === 'default' && given === password;
  return session.authenticated ? OK : WRONG_PASSWORD;
};

const hello: Command = async (session, [version = String(session.version), ...words]) => {
  if (version !== '2' && version !== '3') return error('NOPROTO unsupported protocol version');
  if (words[0]?.toUpperCase() === 'AUTH') {
    const answer = await auth(session, words.slice(1, 3));
    if (answer.kind === 'error') return answer;
  }
  if (!session.authenticated)
    return error(
      'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time',
    );
  session.version = version === '3' ? 3 : 2;
  const facts: readonly (readonly [string, Reply])[] = [
    ['server', bulk('redis')],
    ['version', bulk(VERSION)],
    ['proto', integer(session.version)],
    ['id', integer(session.id)],
    ['mode', bulk('standalone')],
    ['role', bulk('master')],
    ['modules', array([])],
  ];
  return { kind: 'map', items: facts.flatMap(([name, value]) => [bulk(name), value]) };
};

const client: Command = (session, [name = '', ...args]) => {
  switch (name.toUpperCase()) {
    case 'SETNAME':
      session.name = (args[0] ?? '').slice(0, 256);
      return OK;
    case 'GETNAME':
      return bulk(session.name);
    case 'ID':
      return integer(session.id);
    case 'SETINFO':
    case 'NO-EVICT':
    case 'NO-TOUCH':
      return OK;
    case 'LIST':
      return bulk(
        [...session.server.sessions]
          .map(
            one => `id=${one.id} addr=${one.address} name=${one.name} db=${one.database} sub=${one.subscribed.size}\n`,
          )
          .join(''),
      );
    default:
      return error(`ERR unknown subcommand '${name.slice(0, 128)}'. Try CLIENT HELP.`);
  }
};

const config: Command = ({ server }, [name = '', ...args]) => {
  switch (name.toUpperCase()) {
    case 'GET':
      return map(
        [...server.settings].filter(([key]) => args.some(arg => arg === '*' || arg.toLowerCase() === key)).flat(),
      );
    case 'SET': {
      const [key = '', value = ''] = args;
      if (!server.settings.has(key.toLowerCase()))
        return error(`ERR Unknown option or number of arguments for CONFIG SET - '${key.slice(0, 128)}'`);
      server.settings.set(key.toLowerCase(), value);
      if (key.toLowerCase() === 'requirepass') server.password = value === '' ? undefined : value;
      return OK;
    }
    case 'RESETSTAT':
    case 'REWRITE':
      return OK;
    default:
      return error(`ERR unknown subcommand '${name.slice(0, 128)}'. Try CONFIG HELP.`);
  }
};

const subscription = (kind: string, channel: string, count: number): Reply =>
  push([bulk(kind), bulk(channel), integer(count)]);

const subscribe: Command = (session, names) => {
  if (session.subscribed.size + names.length > MAX_SUBSCRIPTIONS)
    refuse(`ERR more than ${MAX_SUBSCRIPTIONS} channels of one client are not simulated`);
  const { channels } = session.server;
  names.forEach(name => {
    session.subscribed.add(name);
    const members = channels.get(name) ?? new Set();
    channels.set(name, members.add(session));
    // At once: no message may come before it.
    session.push(subscription('subscribe', name, session.subscribed.size));
  });
  return SENT;
};

const unsubscribe: Command = (session, names) => {
  const leaving = names.length === 0 ? [...session.subscribed] : names;
  for (const name of leaving) {
    leave(session, name);
    session.push(subscription('unsubscribe', name, session.subscribed.size));
  }
  return SENT;
};

export function leave(session: Session, channel: string): void {
  session.subscribed.delete(channel);
  const members = session.server.channels.get(channel);
  members?.delete(session);
  if (members?.size === 0) session.server.channels.delete(channel);
}

const publish: Command = ({ server }, [channel = '', text = '']) => {
  const members = server.channels.get(channel) ?? new Set<Session>();
  for (const member of members) member.push(push([bulk('message'), bulk(channel), bulk(text)]));
  return integer(members.size);
};

/** What stands alone on its line: answers that are the same for everybody. */
const always =
  (reply: Reply): Command =>
  () =>
    reply;

export const connectionCommands: Readonly<Record<string, CommandSpec>> = {
  PING: { min: 0, max: 1, run: (_session, [text]) => (text === undefined ? simple('PONG') : bulk(text)) },
  ECHO: { min: 1, max: 1, run: (_session, [text]) => bulk(text) },
  AUTH: { min: 1, max: 2, run: auth },
  HELLO: { min: 0, max: 6, run: hello },
  CLIENT: { min: 1, max: Infinity, run: client },
  CONFIG: { min: 1, max: Infinity, run: config },
  SELECT: {
    min: 1,
    max: 1,
    run: (session, [index]) => {
      const number = wholeNumber(index);
      if (session.server.databases[number] === undefined) return error('ERR DB index is out of range');
      session.database = number;
      return OK;
    },
  },
  QUIT: {
    min: 0,
    max: Infinity,
    run: session => {
      session.leaving = true;
      return OK;
    },
  },
  INFO: { min: 0, max: Infinity, run: ({ server }, sections) => bulk(infoText(server, sections, VERSION)) },
  TIME: {
    min: 0,
    max: 0,
    run: ({ server }) => {
      const now = server.process.container.clock.now();
      return texts([String(Math.floor(now / 1000)), String((now % 1000) * 1000)]);
    },
  },
  ROLE: { min: 0, max: 0, run: always(array([bulk('master'), integer(0), array([])])) },
  COMMAND: { min: 0, max: Infinity, run: always(array([])) },
  WAIT: { min: 2, max: 2, run: always(integer(0)) },
  SAVE: { min: 0, max: 0, run: always(OK) },
  BGSAVE: { min: 0, max: 1, run: always(simple('Background saving started')) },
  LASTSAVE: { min: 0, max: 0, run: ({ server }) => integer(Math.floor(server.startedAt / 1000)) },
  CLUSTER: { min: 1, max: Infinity, run: always(error('ERR This instance has cluster support disabled')) },
  REPLICAOF: {
    min: 2,
    max: 2,
    run: (_session, [host = '']) => (host.toUpperCase() === 'NO' ? OK : error('ERR replication is not simulated')),
  },
  SUBSCRIBE: { min: 1, max: MAX_SUBSCRIPTIONS, run: subscribe },
  UNSUBSCRIBE: { min: 0, max: MAX_SUBSCRIPTIONS, run: unsubscribe },
  PUBLISH: { min: 2, max: 2, run: publish },
};
