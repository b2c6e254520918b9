import { createHash } from 'node:crypto';
import type { PeerCertificate, TLSSocket } from 'node:tls';
import type { UserInfo } from '../../../api/strategy.js';
import { CREDENTIAL_ID } from '../user.js';
import { NONE, refused, type Outcome, type RequestAuthenticator } from './authenticator.js';

/** Where a subject may carry a uid (k8s.io/apiserver pkg/authentication/request/x509). */
const UID_OID = '1.3.6.1.4.1.57683.2';

const list = (value: string | string[] | undefined): readonly string[] =>
  value === undefined ? [] : typeof value === 'string' ? [value] : value;

function identify(socket: TLSSocket): Outcome {
  // Without a certificate Node gives an empty object or nothing, as it does for a resumed session and a closed socket.
  const certificate = socket.getPeerCertificate() as Partial<PeerCertificate> | null | undefined;
  if (certificate?.raw === undefined) return NONE;
  if (!socket.authorized) return refused(`x509: ${String(socket.authorizationError)}`);
  const subject = certificate.subject as unknown as Readonly<Record<string, string | string[] | undefined>>;
  const name = list(subject['CN'])[0] ?? '';
  if (name === '') return NONE;
  const uid = list(subject[UID_OID])[0];
  const fingerprint = createHash('sha256').update(certificate.raw).digest('hex');
  const user: UserInfo = {
    name,
    groups: list(subject['O']),
    ...(uid === undefined ? {} : { uid }),
    extra: { [CREDENTIAL_ID]: [`X509SHA256=${fingerprint}`] },
  };
  return { kind: 'user', user };
}

/**
 * The user is the common name, the groups are the organizations. The server asks for a certificate and has it checked
 * against the client CA by TLS, without ending the connection when that fails.
 */
export function clientCertificateAuthenticator(): RequestAuthenticator {
  // A connection's certificate never changes, and most clients keep their connections.
  const known = new WeakMap<TLSSocket, Outcome>();
  return ({ socket }) => {
    let outcome = known.get(socket);
    if (outcome === undefined) {
      outcome = identify(socket);
      known.set(socket, outcome);
    }
    return outcome;
  };
}
