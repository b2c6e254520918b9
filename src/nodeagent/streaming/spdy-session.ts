import type { Duplex } from 'node:stream';
import type { Clock } from '../../machinery/clock.js';
import { serveSpdy, type SpdyStream } from './spdy/connection.js';
import type { WantedStreams } from './request.js';
import { inputFrom, outputTo } from './stream-io.js';
import { createTerminalSizes } from './terminal-sizes.js';
import { StreamingError, type CommandSession } from './types.js';

/** Versions of the remote command protocol over SPDY, best first. v4 ends with a Status; before it, with plain text. */
export const COMMAND_PROTOCOLS = [
  'v4.channel.k8s.io',
  'v3.channel.k8s.io',
  'v2.channel.k8s.io',
  'channel.k8s.io',
] as const;

/** Upstream remotecommand.DefaultStreamCreationTimeout. */
const STREAM_CREATION_TIMEOUT_MS = 30_000;

/**
 * Waits until the client has opened the streams it asked for, then gives the session.
 * @throws StreamingError when they do not come
 */
export function acceptSpdyCommand(
  socket: Duplex,
  protocol: string,
  wants: WantedStreams,
  clock: Clock,
): Promise<CommandSession> {
  const expected = ['error', ...(['stdin', 'stdout', 'stderr'] as const).filter(name => wants[name])];
  // From v3 on a terminal's size comes on a stream of its own.
  if (wants.tty && protocol !== 'v2.channel.k8s.io' && protocol !== 'channel.k8s.io') expected.push('resize');
  const streams = new Map<string, SpdyStream>();
  const gone = new AbortController();
  const sizes = createTerminalSizes();
  return new Promise((resolve, reject) => {
    const connection = serveSpdy(
      socket,
      stream => {
        const type = stream.headers.get('streamtype') ?? '';
        streams.set(type, stream);
        stream.on('error', () => gone.abort(new StreamingError(499, 'the client reset a stream')));
        if (type === 'resize') stream.on('data', (data: Buffer) => sizes.push(data)).on('close', sizes.end);
        if (expected.every(name => streams.has(name))) {
          cancel();
          resolve(session());
        }
      },
      error => {
        cancel();
        const reason = new StreamingError(499, error?.message ?? 'the client is gone');
        gone.abort(reason);
        reject(reason);
      },
    );
    const cancel = clock.after(STREAM_CREATION_TIMEOUT_MS, () => {
      connection.close();
      reject(new StreamingError(408, 'timed out waiting for client to create streams'));
    });
    const session = (): CommandSession => {
      const [stdin, stdout, stderr] = [streams.get('stdin'), streams.get('stdout'), streams.get('stderr')];
      return {
        signal: gone.signal,
        streams: {
          tty: wants.tty,
          resize: sizes,
          ...(stdin === undefined ? {} : { stdin: inputFrom(stdin) }),
          ...(stdout === undefined ? {} : { stdout: outputTo(stdout) }),
          ...(stderr === undefined ? {} : { stderr: outputTo(stderr) }),
        },
        finish(status) {
          const text = protocol === 'v4.channel.k8s.io' ? JSON.stringify(status) : (status.message ?? '');
          if (text !== '') streams.get('error')?.write(text);
          for (const stream of streams.values()) stream.end();
          connection.close();
        },
      };
    };
  });
}
