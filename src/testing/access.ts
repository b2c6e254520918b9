import { formatKubeconfig } from '../cluster/keys/kubeconfig.js';
import { realClock } from '../machinery/clock.js';
import { issueCertificate, type KeyPair } from '../machinery/x509/certificate.js';
import type { TemporaryFolder } from './temporary-folder.js';
import type { Access } from './types.js';

const HOUR_MS = 3_600_000;
const VALID_MS = 10 * 365 * 24 * HOUR_MS;

export interface Accesses {
  /** Whoever has this certificate. */
  of(client: KeyPair): Access;
  /** A user whom the cluster's CA vouches for. */
  as(user: string, groups: readonly string[]): Access;
}

export interface AccessOptions {
  /** "https://127.0.0.1:41234" */
  readonly server: string;
  readonly ca: KeyPair;
  readonly folder: TemporaryFolder;
}

export function createAccesses({ server, ca, folder }: AccessOptions): Accesses {
  let files = 0;
  const of = (client: KeyPair): Access => {
    const kubeconfig = formatKubeconfig(server, ca.cert, client);
    let path: string | undefined;
    const pathOf = (): string => (path ??= folder.write(`kubeconfig-${++files}`, kubeconfig));
    return {
      kubeconfig,
      get kubeconfigPath() {
        return pathOf();
      },
      get env() {
        return { KUBECONFIG: pathOf() };
      },
      config: { server, ca: ca.cert, cert: client.cert, key: client.key },
    };
  };
  return {
    of,
    as(user, groups) {
      // Whoever checks it has the real time.
      const now = realClock.now();
      return of(
        issueCertificate({
          subject: { commonName: user, organizations: [...groups] },
          usage: 'client',
          issuer: ca,
          notBefore: now - HOUR_MS,
          notAfter: now + VALID_MS,
        }),
      );
    },
  };
}
