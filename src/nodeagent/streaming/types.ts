import type { Duplex } from 'node:stream';
import type { TerminalSize } from '../../containers/container.js';
import type { Input, Output } from '../../containers/io.js';

export interface ContainerTarget {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

/** The streams a client asked for; absent ones were not asked for. */
export interface CommandStreams {
  readonly stdin?: Input;
  readonly stdout?: Output;
  readonly stderr?: Output;
  readonly tty: boolean;
  /** Sizes of the client's terminal, as they come. */
  readonly resize?: AsyncIterable<TerminalSize>;
}

/** What the streaming endpoints need of the agent. */
export interface StreamingBackend {
  /** Runs a command in a running container. Resolves with its exit code. @throws StreamingError */
  exec(
    target: ContainerTarget,
    command: readonly string[],
    streams: CommandStreams,
    signal: AbortSignal,
  ): Promise<number>;
  /** Joins the container's main process. Resolves when it or the client ends. @throws StreamingError */
  attach(target: ContainerTarget, streams: CommandStreams, signal: AbortSignal): Promise<void>;
  /** A connection to a port of the Pod's loopback, from inside its namespace. @throws StreamingError */
  connect(
    target: { readonly namespace: string; readonly pod: string },
    port: number,
    signal: AbortSignal,
  ): Promise<Duplex>;
}

/** What the client is told instead of streams; `code` is the HTTP status when streaming has not begun. */
export class StreamingError extends Error {
  override readonly name = 'StreamingError';
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

/** One command's or attachment's session, whatever carries it: SPDY streams or WebSocket channels. */
export interface CommandSession {
  readonly streams: CommandStreams;
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal;
  /** Says how it ended and closes everything. */
  finish(status: SessionStatus): void;
}

/** What is written to the error stream at the end: a trimmed metav1.Status (remotecommand v4 and v5). */
export interface SessionStatus {
  readonly metadata: Record<string, never>;
  readonly status: 'Success' | 'Failure';
  readonly message?: string;
  readonly reason?: string;
  readonly details?: { readonly causes: readonly { readonly reason: string; readonly message: string }[] };
}

export const succeeded: SessionStatus = { metadata: {}, status: 'Success' };

export const exitedWith = (code: number): SessionStatus =>
  code === 0
    ? succeeded
    : {
        metadata: {},
        status: 'Failure',
        message: `command terminated with non-zero exit code: exit status ${code}`,
        reason: 'NonZeroExitCode',
        details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
      };

export const failedWith = (message: string): SessionStatus => ({
  metadata: {},
  status: 'Failure',
  message,
  reason: 'InternalError',
  details: { causes: [{ reason: '', message }] },
});
