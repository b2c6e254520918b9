import type { IncomingHttpHeaders } from 'node:http2';

/** gRPC's status codes by number. */
const NAMES = [
  'OK',
  'Canceled',
  'Unknown',
  'InvalidArgument',
  'DeadlineExceeded',
  'NotFound',
  'AlreadyExists',
  'PermissionDenied',
  'ResourceExhausted',
  'FailedPrecondition',
  'Aborted',
  'OutOfRange',
  'Unimplemented',
  'Internal',
  'Unavailable',
  'DataLoss',
  'Unauthenticated',
] as const;

export type GrpcCode = (typeof NAMES)[number];

/** A call that did not succeed. */
export class GrpcError extends Error {
  override readonly name = 'GrpcError';
  constructor(
    readonly code: GrpcCode,
    /** What the other side said, or what happened to the connection. */
    readonly details: string,
    options?: ErrorOptions,
  ) {
    super(`rpc error: code = ${code} desc = ${details}`, options);
  }
}

/** The call has not left this process: it can be made again, whatever it is. */
export class NotSentError extends GrpcError {}

/** An answer that is longer than what is taken. */
export class MessageTooLongError extends GrpcError {
  constructor(length: number, limit: number) {
    super('ResourceExhausted', `received message larger than max (${length} vs. ${limit})`);
  }
}

/** `grpc-message` is percent-encoded UTF-8; what is not is left as it is. */
function messageOf(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A message that is not encoded as it should be is still the best there is to say.
    return text;
  }
}

/** The status in trailers, or in the headers of an answer that is nothing else; undefined: it has none. */
export function statusOf(headers: IncomingHttpHeaders): GrpcError | 'OK' | undefined {
  const status = headers['grpc-status'];
  if (typeof status !== 'string') return undefined;
  const code = NAMES[Number(status)] ?? 'Unknown';
  if (code === 'OK') return 'OK';
  const message = headers['grpc-message'];
  return new GrpcError(code, typeof message === 'string' ? messageOf(message) : '');
}
