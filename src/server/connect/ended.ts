const ORDINARY = ['ERR_STREAM_PREMATURE_CLOSE', 'ERR_STREAM_DESTROYED', 'ECONNRESET', 'EPIPE'];

/** Whether a stream between two peers ended because one of them left, which is how such streams end. */
export const peerLeft = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && ORDINARY.includes(String(error.code));
