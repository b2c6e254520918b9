/*
 * The program of one network namespace: servers that say who they are and whom they see, and clients that tell what became
 * of a connection. Commands come as lines of JSON on its standard input. It imports nothing, to be quick to start.
 */
import { createSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';

export interface ListenCommand {
  readonly listen: readonly { readonly address: string; readonly port: number }[];
}

export interface ConnectCommand {
  readonly id: number;
  readonly protocol: 'tcp' | 'udp';
  readonly source?: string;
  readonly to: string;
  readonly port: number;
  readonly timeoutMs: number;
}

/** `at` and `seen`: what the server says. */
export interface Answer {
  readonly id: number;
  readonly verdict: 'accept' | 'refused' | 'timeout' | 'error';
  readonly at?: string;
  readonly seen?: string;
  readonly error?: string;
}

const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
const fail = (error: Error): void => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
};

/** None is a node port. Whoever comes twice from one port would meet what conntrack knows of the first time. */
let nextPort = 0;
const sourcePort = (): number => 40_000 + (nextPort++ % 20_000);

function listen({ address, port }: ListenCommand['listen'][number]): Promise<unknown> {
  const at = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
  const tcp = createServer(socket => {
    socket.on('error', () => undefined);
    socket.write(JSON.stringify({ at, seen: socket.remoteAddress }));
  });
  const udp = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  udp.on('message', (_text, from) => {
    udp.send(JSON.stringify({ at, seen: from.address }), from.port, from.address, () => undefined);
  });
  tcp.on('error', fail);
  udp.on('error', fail);
  return Promise.all([
    new Promise<void>(resolve => tcp.listen({ port, host: address, backlog: 4096 }, resolve)),
    new Promise<void>(resolve => udp.bind({ port, address, exclusive: true }, resolve)),
  ]);
}

type Finish = (answer: Omit<Answer, 'id'>) => void;

const failed = ({ code = '' }: NodeJS.ErrnoException): Omit<Answer, 'id'> =>
  code === 'ECONNREFUSED' ? { verdict: 'refused' } : { verdict: 'error', error: code };

/** Ends it with a reset, so that nothing of it is left at either end. */
function overTcp({ source, to, port }: ConnectCommand, finish: Finish): () => void {
  const local = source === undefined ? {} : { localAddress: source };
  const socket = connect({ host: to, port, localPort: sourcePort(), ...local });
  socket.on('error', (error: NodeJS.ErrnoException) => finish(failed(error)));
  socket.on('data', data => finish({ verdict: 'accept', ...(JSON.parse(String(data)) as object) }));
  // A reset would wait for a connection that does not come, and go on trying.
  return () => void (socket.connecting ? socket.destroy() : socket.resetAndDestroy());
}

function overUdp({ source, to, port }: ConnectCommand, finish: Finish): () => void {
  const socket = createSocket(to.includes(':') ? 'udp6' : 'udp4');
  let isOpen = true;
  socket.on('error', (error: NodeJS.ErrnoException) => finish(failed(error)));
  socket.on('message', data => finish({ verdict: 'accept', ...(JSON.parse(String(data)) as object) }));
  // An error of the network is told to sockets that are connected only.
  socket.bind({ port: sourcePort(), ...(source === undefined ? {} : { address: source }) }, () => {
    socket.connect(port, to, () => {
      // What our own node's rules stop is told at once, as EPERM; whether it is refused comes after that.
      if (isOpen) socket.send('x', () => undefined);
    });
  });
  return () => {
    isOpen = false;
    socket.close();
  };
}

function run(command: ConnectCommand): void {
  let isDone = false;
  const finish: Finish = answer => {
    if (isDone) return;
    isDone = true;
    clearTimeout(timer);
    say({ id: command.id, ...answer });
    setImmediate(end);
  };
  const timer = setTimeout(() => finish({ verdict: 'timeout' }), command.timeoutMs);
  const end = (command.protocol === 'tcp' ? overTcp : overUdp)(command, finish);
}

createInterface({ input: process.stdin })
  .on('line', line => {
    const command = JSON.parse(line) as ListenCommand | ConnectCommand;
    if ('listen' in command) void Promise.all(command.listen.map(listen)).then(() => say({ listening: true }), fail);
    else run(command);
  })
  .on('close', () => process.exit(0));
say({ started: true });
