/** The errno names that sockets of the pod network fail with, and what strerror says for each. */
const TEXT = {
  ECONNREFUSED: 'Connection refused',
  ETIMEDOUT: 'Connection timed out',
  EHOSTUNREACH: 'No route to host',
  ENETUNREACH: 'Network is unreachable',
  ECONNRESET: 'Connection reset by peer',
  EMSGSIZE: 'Message too long',
  EADDRINUSE: 'Address already in use',
  EADDRNOTAVAIL: 'Cannot assign requested address',
} as const;

export type NetworkErrorCode = keyof typeof TEXT;

/** The detail of a packet that a rule or a policy dropped. */
export const DROPPED = 'dropped';

/** The detail of a request whose answer comes from an address that the client has not asked. */
export const ASTRAY = 'the answer goes past the node that chose who answers';

export class NetworkError extends Error {
  override readonly name = 'NetworkError';

  constructor(
    readonly code: NetworkErrorCode,
    /** Why, when the code alone does not tell, e.g. which rule dropped the packet. */
    readonly detail = '',
  ) {
    super(detail === '' ? TEXT[code] : `${TEXT[code]} (${detail})`);
  }

  /** strerror(3). */
  get text(): string {
    return TEXT[this.code];
  }
}

export const isNetworkErrorCode = (code: unknown): code is NetworkErrorCode => typeof code === 'string' && code in TEXT;

/** Turns an error of a real socket into the one a Pod would see. */
export function toNetworkError(error: unknown): NetworkError {
  if (error instanceof NetworkError) return error;
  const { code, message } = error as { code?: unknown; message?: string };
  return isNetworkErrorCode(code) ? new NetworkError(code) : new NetworkError('ECONNRESET', message ?? '');
}
