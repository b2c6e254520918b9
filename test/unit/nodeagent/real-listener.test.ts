import { createSocket } from 'node:dgram';
import { createServer, type AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import t from 'tap';
import { listenReal } from '../../../src/nodeagent/network/real-listener.js';
import { SILENT } from '../../../src/machinery/logger.js';
import { until } from '../../support/until.js';

const LOOPBACK = '127.0.0.1';
const log = SILENT;
const entry = (): undefined => undefined;

/** Takes a port of the protocol. */
async function taken(protocol: 'tcp' | 'udp'): Promise<{ port: number; close: () => Promise<void> }> {
  if (protocol === 'udp') {
    const socket = createSocket('udp4');
    await new Promise<void>(resolve => socket.bind(0, LOOPBACK, resolve));
    return { port: socket.address().port, close: () => new Promise(resolve => socket.close(() => resolve())) };
  }
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, LOOPBACK, resolve));
  return { port: (server.address() as AddressInfo).port, close: promisify(server.close.bind(server)) };
}

const RESOURCE = { tcp: 'TCPServerWrap', udp: 'UDPWrap' } as const;
const openSockets = (protocol: 'tcp' | 'udp'): number =>
  process.getActiveResourcesInfo().filter(name => name === RESOURCE[protocol]).length;

for (const protocol of ['tcp', 'udp'] as const)
  t.test(`${protocol}: a listener whose port is taken leaves no socket open`, async t => {
    const other = await taken(protocol);
    const before = openSockets(protocol);
    const errors: string[] = [];
    const listener = listenReal({
      protocol,
      at: { address: LOOPBACK, port: other.port },
      entry,
      log,
      onError: error => errors.push(error.code ?? ''),
    });
    await until('an error', () => errors.length > 0);
    t.same(errors, ['EADDRINUSE']);
    await until('the socket is closed', () => openSockets(protocol) === before);
    t.doesNotThrow(() => listener.close(), 'its owner may close it all the same');
    await other.close();
  });

for (const protocol of ['tcp', 'udp'] as const)
  t.test(`${protocol}: a listener that is closed says nothing any more`, async t => {
    const other = await taken(protocol);
    const before = openSockets(protocol);
    t.ok(before > 0, 'they can be counted');
    const said: string[] = [];
    const listener = listenReal({
      protocol,
      at: { address: LOOPBACK, port: other.port },
      entry,
      log,
      onListening: port => said.push(String(port)),
      onError: error => said.push(error.code ?? ''),
    });
    listener.close();
    await other.close();
    // One that listens afterwards has had its turn after everything that the first could say.
    const ports: number[] = [];
    const next = listenReal({
      protocol,
      at: { address: LOOPBACK, port: 0 },
      entry,
      log,
      onListening: port => ports.push(port),
      onError: error => t.fail(error.message),
    });
    await until('the other listens', () => ports.length > 0);
    t.same(said, []);
    next.close();
    await until('both are closed', () => openSockets(protocol) < before);
  });
