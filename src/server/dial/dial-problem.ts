import type { ClientRequest } from 'node:http';
import { joinHostPort } from '../../machinery/ip.js';
import { StatusError } from '../../machinery/status.js';

/** Why a server could not be reached, in the words of Go's net and crypto/tls. */
export class DialError extends Error {
  override readonly name = 'DialError';
}

const CERTIFICATE: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'x509: certificate signed by unknown authority',
  SELF_SIGNED_CERT_IN_CHAIN: 'x509: certificate signed by unknown authority',
  UNABLE_TO_GET_ISSUER_CERT: 'x509: certificate signed by unknown authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'x509: certificate signed by unknown authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'x509: certificate signed by unknown authority',
  CERT_SIGNATURE_FAILURE: 'x509: certificate signed by unknown authority',
  CERT_HAS_EXPIRED: 'x509: certificate has expired or is not yet valid',
  CERT_NOT_YET_VALID: 'x509: certificate has expired or is not yet valid',
  INVALID_PURPOSE: 'x509: certificate specifies an incompatible key usage',
};

const CONNECT: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ETIMEDOUT: 'i/o timeout',
};

/** What comes with an error of a socket. */
interface SocketError extends NodeJS.ErrnoException {
  readonly address?: string;
  readonly port?: number;
  readonly hostname?: string;
  /** Of a name with several addresses, each in its turn. */
  readonly errors?: readonly SocketError[];
}

/** Whether a server was there but could not show that it is the one that was meant. */
export const isUnverified = (error: Error): boolean => error.message.startsWith('tls: failed to verify certificate');

/** What Go's net and crypto/tls say of an error of a socket. `to` is the address that was meant, where the error names none. */
export function transportProblem(thrown: unknown, to?: string): DialError {
  if (thrown instanceof DialError) return thrown;
  const all = thrown as SocketError;
  const error = all.errors?.[0] ?? all;
  const { address, port = 0 } = error;
  // Reasons of signals have numbers as codes, or none.
  const code = typeof error.code === 'string' ? error.code : '';
  const certificate = CERTIFICATE[code];
  if (certificate !== undefined) return new DialError(`tls: failed to verify certificate: ${certificate}`);
  const problem = CONNECT[code];
  if (problem !== undefined)
    return new DialError(`dial tcp ${address === undefined ? (to ?? '') : joinHostPort(address, port)}: ${problem}`);
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return new DialError(`dial tcp: lookup ${error.hostname ?? to ?? ''}: no such host`);
  if (code === 'ECONNRESET' || code === 'EPIPE') return new DialError('EOF');
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_')) return new DialError(tlsProblem(code, error.message));
  if (code === 'HPE_HEADER_OVERFLOW')
    return new DialError('net/http: HTTP/1.x transport connection broken: server response headers exceeded the limit');
  if (code.startsWith('HPE_'))
    return new DialError('net/http: HTTP/1.x transport connection broken: malformed HTTP response');
  return new DialError(error.message);
}

function tlsProblem(code: string, message: string): string {
  // OpenSSL says it in hexadecimal numbers and file names.
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || message.includes('wrong version number'))
    return 'http: server gave HTTP response to HTTPS client';
  const [, , , , text] = message.split(':');
  return `tls: ${text?.trim() || 'handshake failure'}`;
}

/**
 * What upstream says when a node cannot be reached. `via` is the address behind the node that was meant: one whose node
 * does not answer has no route.
 */
export function dialProblem(thrown: unknown, outgoing: ClientRequest, via?: string): Error {
  if (thrown instanceof StatusError || thrown instanceof DialError) return thrown;
  const { code } = thrown as SocketError;
  if (code !== undefined && CONNECT[code] !== undefined && via !== undefined)
    return new DialError(`dial tcp ${via}: connect: no route to host`);
  return transportProblem(thrown, outgoing.host);
}
