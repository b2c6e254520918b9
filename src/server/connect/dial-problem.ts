import type { ClientRequest } from 'node:http';
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

/** Whether a server was there but could not show that it is the one that was meant. */
export const isUnverified = (error: Error): boolean => error.message.startsWith('tls: failed to verify certificate');

/**
 * What upstream says when a node cannot be reached. `via` is the address behind the node that was meant: one whose node
 * does not answer has no route.
 */
export function dialProblem(thrown: unknown, outgoing: ClientRequest, via?: string): Error {
  if (thrown instanceof StatusError || thrown instanceof DialError) return thrown;
  const error = thrown as NodeJS.ErrnoException & { readonly address?: string; readonly port?: number };
  const { code = '' } = error;
  const certificate = CERTIFICATE[code];
  if (certificate !== undefined) return new DialError(`tls: failed to verify certificate: ${certificate}`);
  const problem = CONNECT[code];
  if (problem !== undefined) {
    if (via !== undefined) return new DialError(`dial tcp ${via}: connect: no route to host`);
    const { address = outgoing.host, port = '' } = error;
    return new DialError(`dial tcp ${address.includes(':') ? `[${address}]` : address}:${port}: ${problem}`);
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return new DialError(`dial tcp: lookup ${outgoing.host}: no such host`);
  if (code === 'ECONNRESET') return new DialError('EOF');
  return new DialError(error.message);
}
