import { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Clock } from '../../machinery/clock.js';
import { drained } from '../../machinery/drained.js';
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
      // Half a pair goes with its stream.
      stream.once('close', () => pairs.delete(id));
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
  /** By channel; those that the Pod has not answered yet keep the client waiting. */
  const pods = new Map<number, Promise<Duplex | undefined>>();
  let open = ports.length;
  /** Channels cannot be half-closed: the connection ends with the last of its ports. */
  const ended = (): void => {
    if (--open === 0) socket.close(1000);
  };
  const send = (channel: number, data: Buffer): Promise<void> =>
    new Promise(resolve => {
      if (socket.readyState !== socket.OPEN) return resolve();
      socket.send(Buffer.concat([Buffer.from([channel]), data]), () => resolve());
    });
  const deliver = async (channel: number, data: Buffer): Promise<void> => {
    const pod = await pods.get(channel);
    if (pod === undefined || pod.destroyed || pod.writableEnded || pod.write(data)) return;
    await drained(pod);
  };
  socket.on('message', (data: Buffer) => {
    // One message at a time: what a Pod has no room for stays with the client.
    socket.pause();
    void deliver(data[0] ?? 0, data.subarray(1)).finally(() => socket.resume());
  });
  socket.on('error', () => socket.terminate());
  socket.on('close', () => gone.abort(new Error('the client is gone')));
  ports.forEach((port, i) => {
    const head = Buffer.alloc(2);
    head.writeUInt16LE(port);
    void send(2 * i, head);
    void send(2 * i + 1, head);
    const refused = (error: unknown): void => void send(2 * i + 1, Buffer.from(refusal(port, target, error as Error)));
    const connected = backend.connect(target, port, gone.signal).then(
      pod => {
        gone.signal.addEventListener('abort', () => pod.destroy(), { once: true });
        if (gone.signal.aborted) pod.destroy();
        pod.once('close', ended);
        pod.on('error', refused);
        pod.on('data', (chunk: Buffer) => {
          pod.pause();
          void send(2 * i, chunk).then(() => pod.resume());
        });
        pod.once('end', () => {
          const cancel = clock.after(LAST_WORDS_MS, () => pod.end(), { work: true });
          pod.once('close', cancel);
        });
        return pod;
      },
      (error: unknown) => {
        refused(error);
        ended();
        return undefined;
      },
    );
    pods.set(2 * i, connected);
  });
}
