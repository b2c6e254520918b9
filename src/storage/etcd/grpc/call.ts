import {
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2';
import type { Clock } from '../../../machinery/clock.js';
import { Deframer, frame } from './frames.js';
import { GrpcError, NotSentError, statusOf } from './status.js';

/** What an answer may be long; etcd sends what it was asked for in one message. */
export const MAX_MESSAGE_BYTES = 256 << 20;

interface CallHandlers {
  readonly message: (message: Buffer) => void;
  /** Called once; undefined: it ended well. */
  readonly ended: (error: GrpcError | undefined) => void;
}

const headersOf = (path: string, extra: OutgoingHttpHeaders): OutgoingHttpHeaders => ({
  ':method': 'POST',
  ':path': path,
  'content-type': 'application/grpc',
  te: 'trailers',
  ...extra,
});

/** One call on a connection, whatever it sends. @throws NotSentError */
function open(
  session: ClientHttp2Session,
  path: string,
  extra: OutgoingHttpHeaders,
  { message, ended }: CallHandlers,
): ClientHttp2Stream {
  if (session.closed || session.destroyed) throw new NotSentError('Unavailable', 'the connection is closing');
  const stream = session.request(headersOf(path, extra));
  const deframer = new Deframer(MAX_MESSAGE_BYTES);
  let status: ReturnType<typeof statusOf>;
  let failure: GrpcError | undefined;
  stream.on('response', headers => {
    status = statusOf(headers);
    const code = headers[':status'];
    if (status === undefined && code !== 200) failure ??= new GrpcError('Unavailable', `HTTP status ${code ?? 0}`);
  });
  stream.on('trailers', (headers: IncomingHttpHeaders) => (status = statusOf(headers) ?? status));
  stream.on('data', (chunk: Buffer) => {
    try {
      for (const one of deframer.take(chunk)) message(one);
    } catch (error) {
      failure ??=
        error instanceof GrpcError ? error : new GrpcError('Internal', (error as Error).message, { cause: error });
      stream.close(constants.NGHTTP2_CANCEL);
    }
  });
  stream.on('error', (cause: Error) => {
    failure ??= cause instanceof GrpcError ? cause : new GrpcError('Unavailable', cause.message, { cause });
  });
  stream.on('close', () => {
    if (failure === undefined && status === undefined)
      failure = new GrpcError('Unavailable', 'the connection was closed before the call was answered');
    ended(failure ?? (status === 'OK' ? undefined : status));
  });
  return stream;
}

/** A question and its answer. @throws GrpcError, also when there is none in time */
export function callOnce(
  session: ClientHttp2Session,
  path: string,
  request: Uint8Array,
  { clock, deadlineMs }: { readonly clock: Pick<Clock, 'after'>; readonly deadlineMs: number },
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let answer: Buffer | undefined;
    const stream = open(
      session,
      path,
      { 'grpc-timeout': `${deadlineMs}m` },
      {
        message: message => void (answer = message),
        ended(error) {
          cancel();
          if (error !== undefined) reject(error);
          else if (answer === undefined) reject(new GrpcError('Internal', 'the call ended without an answer'));
          else resolve(answer);
        },
      },
    );
    const late = (): void => void stream.destroy(new GrpcError('DeadlineExceeded', 'context deadline exceeded'));
    const cancel = clock.after(deadlineMs, late, { unref: true });
    stream.end(frame(request));
  });
}

/** A call that stays: messages go both ways. */
export interface Duplex {
  send(message: Uint8Array): void;
  /** Nothing is told any more. */
  close(): void;
}

/** `hasleader`: a member that has lost the others ends the call, rather than being silent. @throws NotSentError */
export function callForEver(session: ClientHttp2Session, path: string, handlers: CallHandlers): Duplex {
  let closed = false;
  const stream = open(
    session,
    path,
    { hasleader: 'true' },
    {
      message: message => void (closed || handlers.message(message)),
      ended: error => void (closed || handlers.ended(error)),
    },
  );
  return {
    send: message => void (stream.writable && stream.write(frame(message))),
    close() {
      closed = true;
      stream.close(constants.NGHTTP2_CANCEL);
    },
  };
}
