import { issueCertificate, type KeyPair } from '../../machinery/x509/certificate.js';

const DAY_MS = 24 * 60 * 60 * 1000;

/** A certificate that signs itself, as servers make when they were given none; good for ten years from yesterday. */
export const selfSigned = (hostname: string, now: number): KeyPair =>
  issueCertificate({
    subject: { commonName: hostname },
    notBefore: now - DAY_MS,
    notAfter: now + 3650 * DAY_MS,
    usage: 'server',
    subjectAltNames: [hostname, 'localhost'],
  });
