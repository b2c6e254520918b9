import type { Process, Program } from '../../process.js';
import { serveConnections, type Connection } from '../connections.js';
import { serveTogether } from '../http-server.js';
import { json, serveRoutes, type Served } from '../http/served.js';

const VERSION = '3.9.4-simulated, built on 2025-08-19 19:53 UTC';
/** A request of a client. */
const MAX_REQUEST = 1024 * 1024;
const PING = 11;
const CLOSE = -11;
const UNIMPLEMENTED = -6;

/** Commands of four letters that are answered unless a list says which. */
const DEFAULT_WORDS = 'srvr';

interface ZooKeeper {
  readonly process: Process;
  readonly allowed: ReadonlySet<string>;
  readonly counts: { connections: number; packets: number };
}

/** What a four letter word is answered with; undefined: it is none. */
function wordAnswer({ process, allowed, counts }: ZooKeeper, word: string): string | undefined {
  if (!WORDS.has(word)) return undefined;
  if (!allowed.has('*') && !allowed.has(word)) return `${word} is not executed because it is not in the whitelist.\n`;
  const facts = `Zookeeper version: ${VERSION}\nLatency min/avg/max: 0/0.0/0\nReceived: ${counts.packets}\nSent: ${counts.packets}\nConnections: ${counts.connections}\nOutstanding: 0\nZxid: 0x0\nMode: standalone\nNode count: 5\n`;
  switch (word) {
    case 'ruok':
      return 'imok';
    case 'srvr':
      return facts;
    case 'stat':
      return facts.replace('\n', '\nClients:\n\n');
    case 'isro':
      return 'rw';
    case 'envi':
      return `Environment:\nzookeeper.version=${VERSION}\nhost.name=${process.container.hostname}\n`;
    case 'conf':
      return 'clientPort=2181\ndataDir=/data/version-2\nserverId=0\n';
    default:
      return `zk_version\t${VERSION}\nzk_server_state\tstandalone\nzk_num_alive_connections\t${counts.connections}\nzk_znode_count\t5\n`;
  }
}

const WORDS = new Set(['ruok', 'srvr', 'stat', 'isro', 'envi', 'conf', 'mntr']);

async function converse(server: ZooKeeper, connection: Connection): Promise<void> {
  const { reader, write } = connection;
  server.counts.connections++;
  try {
    const head = await reader.bytes(4);
    if (head === undefined) return;
    const answer = wordAnswer(server, head.toString('latin1'));
    if (answer !== undefined) return void (await write(answer));
    const length = head.readInt32BE(0);
    // A client's first words: version, last zxid, timeout, session, password.
    const hello = length >= 28 && length <= 1024 ? await reader.bytes(length) : undefined;
    if (hello === undefined) return;
    await write(welcome(hello.readInt32BE(12), server.counts.connections));
    await session(server, connection);
  } finally {
    server.counts.connections--;
  }
}

function welcome(timeoutMs: number, id: number): Buffer {
  const answer = Buffer.alloc(4 + 37);
  answer.writeInt32BE(37, 0);
  answer.writeInt32BE(Math.min(Math.max(timeoutMs, 4000), 40_000), 8);
  answer.writeBigInt64BE(BigInt(id), 12);
  answer.writeInt32BE(16, 20);
  return answer;
}

/** Keeps a session alive, and says of everything else that it is not there. */
async function session(server: ZooKeeper, { reader, write }: Connection): Promise<void> {
  for (;;) {
    const head = await reader.bytes(4);
    const length = head?.readInt32BE(0) ?? 0;
    if (length < 8 || length > MAX_REQUEST) return;
    const request = await reader.bytes(length);
    if (request === undefined) return;
    await server.process.turn();
    server.counts.packets++;
    const type = request.readInt32BE(4);
    const answer = Buffer.alloc(20);
    answer.writeInt32BE(16, 0);
    answer.writeInt32BE(request.readInt32BE(0), 4);
    answer.writeInt32BE(type === PING || type === CLOSE ? 0 : UNIMPLEMENTED, 16);
    await write(answer);
    if (type === CLOSE) return;
  }
}

const ADMIN_PORT = 8080;

/** Client port 2181, four letter words, sessions without znodes; the admin server on 8080. */
export const zookeeper: Program = async process => {
  const { env, stdout } = process;
  const listed = env['ZOO_4LW_COMMANDS_WHITELIST'] ?? DEFAULT_WORDS;
  const server: ZooKeeper = {
    process,
    allowed: new Set(listed.split(',').map(word => word.trim())),
    counts: { connections: 0, packets: 0 },
  };
  const port = Number(env['ZOO_PORT_NUMBER'] ?? env['ZOOKEEPER_CLIENT_PORT'] ?? '2181');
  await stdout.write(
    `ZooKeeper JMX enabled by default\nbinding to port 0.0.0.0/0.0.0.0:${port} (simulated: it keeps no znodes)\n`,
  );
  const hasAdmin = env['ZOO_ADMINSERVER_ENABLED'] !== 'false' && env['ZOO_ENABLE_ADMIN_SERVER'] !== 'no';
  return serveTogether(
    process,
    until => serveConnections(process, [{ port, talk: connection => converse(server, connection) }], until),
    until => (hasAdmin ? serveRoutes(process, { port: ADMIN_PORT, routes: ADMIN }, until) : until),
  );
};

const ADMIN: Served['routes'] = {
  '/commands/ruok': () => json({ command: 'ruok', error: null }),
  '/commands/stat': () =>
    json({ command: 'stat', error: null, version: VERSION, server_stats: { server_state: 'standalone' } }),
};
