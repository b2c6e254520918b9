import { createHash, X509Certificate } from 'node:crypto';
import type { PeerCertificate, TLSSocket } from 'node:tls';
import { comesFrom } from '../../../machinery/x509/authorities.js';
import type { UserInfo } from '../../../api/strategy.js';
import { CREDENTIAL_ID } from '../user.js';
import { NONE, refused, type Outcome, type RequestAuthenticator } from './authenticator.js';

/** Where a subject may carry a uid (k8s.io/apiserver pkg/authentication/request/x509). */
const UID_OID = '1.3.6.1.4.1.57683.2';

const list = (value: string | string[] | undefined): readonly string[] =>
  value === undefined ? [] : typeof value === 'string' ? [value] : value;

type Subject = Readonly<Record<string, string | string[] | undefined>>;

export interface Verified {
  /** DER. */
  readonly raw: Buffer;
  readonly certificate: () => X509Certificate;
  readonly subject: Subject;
  readonly commonName: string;
}

/**
 * The certificate that a client has shown, once TLS has found it good for one of all the authorities there are: whose word
 * it is worth is for each authenticator to say. undefined: none was shown.
 */
export function verifiedCertificate(socket: TLSSocket): Verified | { readonly reason: string } | undefined {
  // Without a certificate Node gives an empty object or nothing, as it does for a resumed session and a closed socket.
  const peer = socket.getPeerCertificate() as Partial<PeerCertificate> | null | undefined;
  if (peer?.raw === undefined) return undefined;
  if (!socket.authorized) return { reason: `x509: ${String(socket.authorizationError)}` };
  const subject = peer.subject as unknown as Subject;
  const { raw } = peer;
  const certificate = (): X509Certificate => socket.getPeerX509Certificate() ?? new X509Certificate(raw);
  return { raw, certificate, subject, commonName: list(subject['CN'])[0] ?? '' };
}

/** So many certificates are remembered; whoever shows another makes the oldest forgotten. */
const MAX_KNOWN = 1_000;

function userOf({ raw, subject, commonName: name }: Verified): Outcome {
  if (name === '') return NONE;
  const uid = list(subject[UID_OID])[0];
  const fingerprint = createHash('sha256').update(raw).digest('hex');
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
 * @param authorities whose certificates name users, where TLS knows others too
 */
export function clientCertificateAuthenticator(authorities?: readonly X509Certificate[]): RequestAuthenticator {
  // A connection's certificate never changes, and most clients keep their connections.
  const known = new WeakMap<TLSSocket, Outcome>();
  // Who makes many shows the same on each. Whether it is good now is what TLS says of the connection; whose it is, and that
  // it comes from these authorities, stays so.
  const users = new Map<string, Outcome>();

  const identify = (socket: TLSSocket): Outcome => {
    // As of getPeerCertificate, what is said where there is none differs.
    const shown = socket.getPeerX509Certificate() as X509Certificate | null | undefined;
    const before = users.get(shown?.fingerprint256 ?? '');
    if (before !== undefined && socket.authorized) return before;
    const found = verifiedCertificate(socket);
    if (found === undefined) return NONE;
    if ('reason' in found) return refused(found.reason);
    const certificate = found.certificate();
    if (authorities !== undefined && !comesFrom(certificate, authorities))
      return refused('x509: certificate signed by unknown authority');
    const outcome = userOf(found);
    if (users.size >= MAX_KNOWN) for (const oldest of users.keys()) if (users.delete(oldest)) break;
    users.set(certificate.fingerprint256, outcome);
    return outcome;
  };

  return ({ socket }) => {
    let outcome = known.get(socket);
    if (outcome === undefined) {
      outcome = identify(socket);
      known.set(socket, outcome);
    }
    return outcome;
  };
}
