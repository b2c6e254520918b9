import type { Duplex } from 'node:stream';
import type { PeerCertificate, TLSSocket } from 'node:tls';

export interface AllowedClients {
  readonly allowedNames: readonly string[];
  readonly allowedOrganizations: readonly string[];
}

const list = (value: string | string[] | undefined): string[] => (value === undefined ? [] : [value].flat());

/**
 * Whether the client on the other side may use the kubelet API. That it has shown a certificate comes first: TLS calls
 * a session without one authorized once it is resumed.
 */
export function isAllowed(socket: Duplex, { allowedNames, allowedOrganizations }: AllowedClients): boolean {
  const tls = socket as TLSSocket;
  const certificate = tls.getPeerCertificate() as Partial<PeerCertificate> | null | undefined;
  if (certificate?.raw === undefined || certificate.subject === undefined) return false;
  if (!tls.authorized) return false;
  const { subject } = certificate;
  return (
    list(subject.CN).some(name => allowedNames.includes(name)) ||
    list(subject.O).some(name => allowedOrganizations.includes(name))
  );
}
