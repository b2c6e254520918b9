/** Where a watch writes: an HTTP response or a WebSocket. */
export interface WatchSink {
  /** One write for everything that became visible together. */
  write(pieces: readonly Buffer[]): void;
  /** Bytes accepted but not yet taken by the client. */
  backlog(): number;
  /** A clean end. */
  end(): void;
  /** Cuts the connection, so that the client relists. */
  destroy(): void;
}
