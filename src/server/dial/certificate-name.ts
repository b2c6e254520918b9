import { isIP } from 'node:net';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import { canonicalIP } from '../../machinery/ip.js';

/** "DNS:a, IP Address:1.2.3.4", as OpenSSL prints them; none of them contains a comma but in quotes. */
function namesOf(certificate: PeerCertificate, prefix: 'DNS' | 'IP Address'): string[] {
  return (certificate.subjectaltname ?? '')
    .split(', ')
    .filter(text => text.startsWith(`${prefix}:`))
    .map(text => text.slice(prefix.length + 1))
    .map(text => (prefix === 'DNS' ? text : (canonicalIP(text) ?? text)));
}

/** x509.HostnameError: why a certificate is not that of `name`. */
function hostnameProblem(name: string, certificate: PeerCertificate): string {
  const names = namesOf(certificate, 'DNS');
  const addresses = namesOf(certificate, 'IP Address');
  if (names.length === 0 && addresses.length === 0 && isIP(name) === 0 && certificate.subject?.CN !== undefined)
    return 'certificate relies on legacy Common Name field, use SANs instead';
  if (isIP(name) !== 0 && addresses.length === 0)
    return `cannot validate certificate for ${name} because it doesn't contain any IP SANs`;
  const valid = isIP(name) === 0 ? names : addresses;
  if (valid.length === 0) return `certificate is not valid for any names, but wanted to match ${name}`;
  return `certificate is valid for ${valid.join(', ')}, not ${name}`;
}

/** As tls.checkServerIdentity, in Go's words; and a Common Name is no name, as there. */
export function certificateNameProblem(name: string, certificate: PeerCertificate): Error | undefined {
  const hasNames = (certificate.subjectaltname ?? '') !== '';
  if (hasNames && checkServerIdentity(name, certificate) === undefined) return undefined;
  return new Error(`tls: failed to verify certificate: x509: ${hostnameProblem(name, certificate)}`);
}
