import type { WebSocket } from 'ws';
import { BrokenPipe, createPipe } from '../../containers/io.js';
import type { WantedStreams } from './request.js';
import { createTerminalSizes } from './terminal-sizes.js';
import { StreamingError, type CommandSession } from './types.js';

/** Versions of the remote command protocol over WebSocket, best first. v5 can half-close stdin. */
export const WEBSOCKET_COMMAND_PROTOCOLS = [
  'v5.channel.k8s.io',
  'v4.channel.k8s.io',
  'v3.channel.k8s.io',
  'v2.channel.k8s.io',
  'channel.k8s.io',
] as const;

const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;

/** Each frame is binary, its first byte the channel. */
const frame = (channel: number, data: Buffer): Buffer => Buffer.concat([Buffer.from([channel]), data]);

export function acceptWebSocketCommand(socket: WebSocket, wants: WantedStreams): CommandSession {
  const gone = new AbortController();
  const stdin = createPipe();
  const sizes = createTerminalSizes();
  /** No more is read of the connection until the program has room for what came. */
  const take = async (data: Buffer): Promise<void> => {
    socket.pause();
    try {
      await stdin.write(data);
    } catch (error) {
      // A program that reads no more: what still comes is dropped, as over SPDY.
      if (!(error instanceof BrokenPipe)) throw error;
    } finally {
      socket.resume();
    }
  };
  socket.on('message', (data: Buffer) => {
    const channel = data[0];
    if (channel === CHANNEL.stdin) void take(data.subarray(1)).catch(leave);
    else if (channel === CHANNEL.resize) sizes.push(data.subarray(1));
    else if (channel === CHANNEL.close && data[1] === CHANNEL.stdin) stdin.closeWrite();
  });
  const leave = (): void => {
    stdin.closeWrite();
    sizes.end();
    gone.abort(new StreamingError(499, 'the client is gone'));
  };
  socket.on('close', leave);
  socket.on('error', leave);
  const output = (channel: number) => ({
    write: (data: string | Buffer) =>
      new Promise<void>(resolve => {
        if (socket.readyState !== socket.OPEN) return resolve();
        socket.send(frame(channel, Buffer.from(data)), () => resolve());
      }),
  });
  // What the real server does too: tells clients that wait for a first byte that the connection stands.
  socket.send(frame(wants.stdout ? CHANNEL.stdout : wants.stderr ? CHANNEL.stderr : CHANNEL.error, Buffer.alloc(0)));
  return {
    signal: gone.signal,
    streams: {
      tty: wants.tty,
      resize: sizes,
      ...(wants.stdin ? { stdin } : {}),
      ...(wants.stdout ? { stdout: output(CHANNEL.stdout) } : {}),
      ...(wants.stderr ? { stderr: output(CHANNEL.stderr) } : {}),
    },
    finish(status) {
      if (socket.readyState !== socket.OPEN) return;
      // As over SPDY: before v4 the end is told as plain text, and success not at all.
      const text = /^v[45]\./.test(socket.protocol) ? JSON.stringify(status) : (status.message ?? '');
      if (text === '') return socket.close(1000);
      // Closed when all before it has been handed over: what is still here after closeTimeout is lost.
      socket.send(frame(CHANNEL.error, Buffer.from(text)), () => socket.close(1000));
    },
  };
}
