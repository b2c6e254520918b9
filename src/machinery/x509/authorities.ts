import { X509Certificate } from 'node:crypto';

/** A chain that is longer is nobody's. */
const MAX_CHAIN = 8;

const CERTIFICATE = '-----BEGIN CERTIFICATE-----';
const END = '-----END CERTIFICATE-----';

/** Every certificate of a PEM bundle; text around them is passed over. @throws Error for one that cannot be read */
export function certificatesOf(pem: string): X509Certificate[] {
  const found: X509Certificate[] = [];
  for (let at = pem.indexOf(CERTIFICATE); at >= 0; at = pem.indexOf(CERTIFICATE, at + 1)) {
    const end = pem.indexOf(END, at);
    if (end < 0) break;
    found.push(new X509Certificate(pem.slice(at, end + END.length)));
  }
  return found;
}

const isIssuedBy = (certificate: X509Certificate, issuer: X509Certificate): boolean =>
  certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);

/**
 * Whether a certificate, whose chain TLS has verified against more authorities than these, comes from one of these. Names
 * alone prove nothing: every link is a signature.
 */
export function comesFrom(certificate: X509Certificate, authorities: readonly X509Certificate[]): boolean {
  let link: X509Certificate | undefined = certificate;
  for (let length = 0; link !== undefined && length < MAX_CHAIN; length++) {
    const last: X509Certificate = link;
    if (authorities.some(authority => isIssuedBy(last, authority) || authority.raw.equals(last.raw))) return true;
    const next: X509Certificate | undefined = last.issuerCertificate;
    link = next !== undefined && next.ca && isIssuedBy(last, next) && !next.raw.equals(last.raw) ? next : undefined;
  }
  return false;
}
