import { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Clock } from '../../machinery/clock.js';
import { serveSpdy, type SpdyStream } from './spdy/connection.js';
import type { StreamingBackend } from './types.js';

export const PORT_FORWARD_PROTOCOL = 'portforward.k8s.io';
/** SPDY inside WebSocket messages: what kubectl 1.31 and newer ask for. */
export const TUNNEL_PROTOCOL = 'SPDY/3.1+portforward.k8s.io';

/**
 * How long a client may go on after the Pod has ended (as containerd's port forwarding): clients that close the
 * connection themselves, kube-rs among them, fail when it is closed before.
 */
const LAST_WORDS_MS = 1_000;

type Target = { readonly namespace: string; readonly pod: string };

/** Joins two byte streams both ways; resolves when both directions have ended. */
function join(client: Duplex, pod: Duplex): Promise<void> {
  return new Promise(resolve => {
    let open = 2;
    const ended = (): void => {
      if (--open === 0) resolve();
    };
    const broken = (): void => {
      client.destroy();
      pod.destroy();
      resolve();
    };
    client.on('error', broken);
    pod.on('error', broken);
    client.once('close', broken);
    pod.once('close', () => client.end());
    client.once('end', ended);
    pod.once('end', ended);
    client.pipe(pod);
    pod.pipe(client);
  });
}

const refusal = (port: number, { namespace, pod }: Target, error: Error): string =>
  `error forwarding port ${port} to pod ${pod}, namespace ${namespace}: ${error.message}`;

/**
 * Serves port forwarding over SPDY: for every connection the client opens a pair of streams, "error" and "data", with
 * the same requestID and the port in their headers.
 */
export function serveSpdyPortForward(socket: Duplex, target: Target, backend: StreamingBackend): void {
  const gone = new AbortController();
  const pairs = new Map<string, { error?: SpdyStream; data?: SpdyStream }>();
  const forward = async (port: number, error: SpdyStream, data: SpdyStream): Promise<void> => {
    error.resume();
    try {
      const pod = await backend.connect(target, port, gone.signal);
      await join(data, pod);
    } catch (cause) {
      error.write(refusal(port, target, cause as Error));
    }
    data.end();
    error.end();
  };
  serveSpdy(
    socket,
    stream => {
      const port = Number(stream.headers.get('port'));
      const id = stream.headers.get('requestid') ?? '';
      const pair = pairs.get(id) ?? {};
      pairs.set(id, pair);
      if (stream.headers.get('streamtype') === 'error') pair.error = stream;
      else pair.data = stream;
      if (pair.error === undefined || pair.data === undefined) return;
      pairs.delete(id);
      void forward(port, pair.error, pair.data);
    },
    () => {
      gone.abort(new Error('the client is gone'));
      socket.destroy();
    },
  );
}

/** A WebSocket's binary messages as one byte stream. */
export function byteStreamOf(socket: WebSocket): Duplex {
  const stream = new Duplex({
    read: () => socket.resume(),
    write: (chunk: Buffer, _encoding, done) => socket.send(chunk, done),
    final(done) {
      socket.close(1000);
      done();
    },
    destroy(error, done) {
      socket.close();
      done(error);
    },
  });
  socket.on('message', (data: Buffer) => {
    if (!stream.push(data)) socket.pause();
  });
  socket.on('close', () => stream.push(null));
  socket.on('error', error => stream.destroy(error));
  return stream;
}

/**
 * Port forwarding over WebSocket channels (v4.channel.k8s.io, as Python and JavaScript clients do): for the i-th port,
 * channel 2i is data and 2i+1 error; the first frame of each carries the port, little endian.
 */
export function serveWebSocketPortForward(
  socket: WebSocket,
  target: Target,
  ports: readonly number[],
  backend: StreamingBackend,
  clock: Clock,
): void {
  const gone = new AbortController();
  const pods = new Map<number, Duplex>();
  const early = new Map<number, Buffer[]>();
  let open = ports.length;
  /** Channels cannot be half-closed: the connection ends with the last of its ports. */
  const ended = (): void => {
    if (--open === 0) socket.close(1000);
  };
  const send = (channel: number, data: Buffer): void => {
    if (socket.readyState === socket.OPEN) socket.send(Buffer.concat([Buffer.from([channel]), data]));
  };
  socket.on('message', (data: Buffer) => {
    const channel = data[0] ?? 0;
    const pod = pods.get(channel);
    if (pod !== undefined) pod.write(data.subarray(1));
    else early.set(channel, [...(early.get(channel) ?? []), data.subarray(1)]);
  });
  socket.on('close', () => {
    gone.abort(new Error('the client is gone'));
    for (const pod of pods.values()) pod.destroy();
  });
  ports.forEach((port, i) => {
    const head = Buffer.alloc(2);
    head.writeUInt16LE(port);
    send(2 * i, head);
    send(2 * i + 1, head);
    backend.connect(target, port, gone.signal).then(
      pod => {
        pods.set(2 * i, pod);
        for (const chunk of early.get(2 * i) ?? []) pod.write(chunk);
        early.delete(2 * i);
        pod.on('data', (chunk: Buffer) => send(2 * i, chunk));
        pod.on('error', error => send(2 * i + 1, Buffer.from(refusal(port, target, error))));
        pod.once('end', () => {
          const cancel = clock.after(LAST_WORDS_MS, () => pod.end());
          pod.once('close', cancel);
        });
        pod.once('close', ended);
      },
      (error: unknown) => {
        send(2 * i + 1, Buffer.from(refusal(port, target, error as Error)));
        ended();
      },
    );
  });
}
