import { X509Certificate } from 'node:crypto';
import { pemBlocks } from './pem-blocks.js';

/** Why base64 of PEM names no authority; undefined: it does. Source: client-go transport.TLSConfigFor. */
export function caBundleProblem(caBundle: string): string | undefined {
  const fail = (why: string): string => `unable to load root certificates: ${why}`;
  let problem: string | undefined;
  let blocks = 0;
  for (const { type, headers, bytes } of pemBlocks(Buffer.from(caBundle, 'base64').toString('latin1'))) {
    blocks++;
    if (type !== 'CERTIFICATE' || headers) continue;
    try {
      new X509Certificate(bytes);
      return undefined;
    } catch {
      // Node has other words for it than Go, who has many; the first failure is the one that is told.
      problem ??= 'failed to parse certificate: x509: malformed certificate';
    }
  }
  if (problem !== undefined) return fail(problem);
  return fail(blocks === 0 ? 'unable to parse bytes as PEM block' : 'no valid certificate authority data seen');
}
