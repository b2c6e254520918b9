import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Test } from 'tap';
import { NetworkError } from '../../../../src/containers/network/errors.js';
import type { Flow, ForwardOptions, NetStream, PacketReceiver } from '../../../../src/containers/network/types.js';
import { realClock, type Clock } from '../../../../src/machinery/clock.js';
import { createPeerLinks } from '../../../../src/nodeagent/network/link/peer-links.js';
import { createPeerServer } from '../../../../src/nodeagent/network/peer-link.js';
import { peerReceiver } from '../../../../src/nodeagent/network/peer-receiver.js';
import { streamPair } from '../../../../src/nodeagent/network/stream-pair.js';
import { FRAME, frameHeader, HEADER_BYTES, type FrameType } from '../../../../src/nodeagent/network/link/frames.js';

export const flow = {
  proto: 'tcp',
  src: '10.244.1.2',
  srcPort: 4000,
  dst: '10.244.2.2',
  dstPort: 80,
} as const;

/** A port whose connections go on through a pair of streams, as those to a third node do. */
export const JOINED = 2;

/** Takes every packet: connections are given to `serve`, datagrams are answered by themselves. */
export const takesAll = (serve: (stream: NetStream) => void): PacketReceiver => ({
  acceptTcp: (flow, given) => takeStream(serve, flow, given),
  acceptSctp: (flow, given) => takeStream(serve, flow, given),
  acceptUdp: async (_flow, payload) => (payload.length === 0 ? undefined : payload),
});

async function takeStream(
  serve: (stream: NetStream) => void,
  { proto, src, srcPort, dst, dstPort }: Flow,
  { take }: ForwardOptions,
): Promise<NetStream> {
  if (dstPort === 1) throw new NetworkError('ECONNREFUSED', 'nobody listens');
  const [remote, local] = [
    { address: src, port: srcPort },
    { address: dst, port: dstPort },
  ];
  // Nobody knows at once where a packet goes.
  await Promise.resolve();
  if (take !== undefined && dstPort !== JOINED) {
    const stream = take({ local, remote });
    serve(stream);
    return stream;
  }
  const { client, server } = streamPair(remote, local, remote, local, proto === 'sctp' ? 'sctp' : 'tcp');
  serve(server);
  return client;
}

/** A server of links on loopback. */
export async function peerServer(t: Test, network: PacketReceiver, clock: Clock = realClock) {
  const ends: Error[] = [];
  const sockets: Socket[] = [];
  const peers = createPeerServer({ network, clock, onLinkEnd: error => ends.push(error) });
  peers.server.on('connection', socket => sockets.push(socket));
  peers.server.listen(0, '127.0.0.1');
  await once(peers.server, 'listening');
  t.teardown(() => {
    peers.close();
    for (const socket of sockets) socket.destroy();
  });
  const at = { address: '127.0.0.1', port: (peers.server.address() as AddressInfo).port };
  return { peers, at, sockets, ends };
}

/** Both ends of links: `far` is the other node as its neighbour sees it. */
export async function linkPair(t: Test, serve: (stream: NetStream) => void, clock: Clock = realClock) {
  const server = await peerServer(t, takesAll(serve), clock);
  const links = createPeerLinks(clock);
  t.teardown(() => links.close());
  return { ...server, links, far: peerReceiver(server.at, links) };
}

export function frame(type: number, stream: number, payload: Buffer | string = ''): Buffer {
  const bytes = Buffer.from(payload);
  const head = Buffer.alloc(HEADER_BYTES);
  frameHeader(head, type as FrameType, bytes.length, stream);
  return Buffer.concat([head, bytes]);
}

/** The frames that a peer has sent: type, stream, payload. */
export function framesOf(bytes: Buffer): { type: number; stream: number; payload: Buffer }[] {
  const frames = [];
  for (let at = 0; at + HEADER_BYTES <= bytes.length;) {
    const end = at + HEADER_BYTES + bytes.readUIntBE(at + 1, 3);
    if (end > bytes.length) break;
    frames.push({
      type: bytes.readUInt8(at),
      stream: bytes.readUInt32BE(at + 4),
      payload: bytes.subarray(at + HEADER_BYTES, end),
    });
    at = end;
  }
  return frames;
}

/** A peer that says what it likes. */
export function rawPeer(t: Test, port: number) {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const chunks: Buffer[] = [];
  let gone = false;
  socket.on('data', chunk => chunks.push(chunk));
  socket.on('error', () => undefined);
  for (const event of ['end', 'close']) socket.on(event, () => (gone = true));
  t.teardown(() => socket.destroy());
  const received = (): ReturnType<typeof framesOf> => framesOf(Buffer.concat(chunks));
  const goodbye = (): string | undefined =>
    received()
      .find(({ type }) => type === FRAME.bye)
      ?.payload.toString();
  return { socket, received, goodbye, isGone: () => gone };
}
