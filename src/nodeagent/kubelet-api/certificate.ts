import type { Clock } from '../../machinery/clock.js';
import { issueCertificate, type KeyPair } from '../../machinery/x509/certificate.js';

const DAY_MS = 86_400_000;

/** A serving certificate that signs itself, as the kubelet makes one when it is given none. */
export function selfSignedCertificate(nodeName: string, names: readonly string[], clock: Clock): KeyPair {
  const now = clock.now();
  return issueCertificate({
    subject: { commonName: `system:node:${nodeName}`, organizations: ['system:nodes'] },
    notBefore: now - DAY_MS,
    notAfter: now + 365 * DAY_MS,
    usage: 'server',
    subjectAltNames: names,
  });
}
