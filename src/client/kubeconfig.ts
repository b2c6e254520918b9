import { readFile } from 'node:fs/promises';
import type { Duplex } from 'node:stream';
import { dirname, resolve } from 'node:path';
import type { Cable } from '../machinery/cable.js';
import { trimEnd } from '../machinery/trim.js';

/** What a process needs to reach an API server: one context of a kubeconfig file, its files read. */
export interface ClientConfig {
  /** "https://127.0.0.1:6443" */
  readonly server: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly token?: string;
  readonly insecureSkipTlsVerify: boolean;
  readonly namespace: string;
  /** How many connections there are at most, watches counted: what is asked beyond waits. Default: as many as are asked for. */
  readonly maxConnections?: number;
  /** Of a server in this process: a connection to it that needs no network; it is known by `cert` all the same. */
  readonly connect?: () => Duplex;
  /** Opens a connection to the server, as a process of a Pod does; undefined: over the machine's own network. */
  readonly dial?: () => Promise<Duplex>;
  /** Of the simulated machine that it is on; undefined: nobody pulls it. */
  readonly cable?: Cable;
}

interface ClusterEntry {
  server?: string;
  'certificate-authority'?: string;
  'certificate-authority-data'?: string;
  'insecure-skip-tls-verify'?: boolean;
}
interface UserEntry {
  token?: string;
  tokenFile?: string;
  'client-certificate'?: string;
  'client-certificate-data'?: string;
  'client-key'?: string;
  'client-key-data'?: string;
}
interface KubeConfig {
  'current-context'?: string;
  contexts?: { name: string; context?: { cluster: string; user: string; namespace?: string } }[];
  clusters?: { name: string; cluster?: ClusterEntry }[];
  users?: { name: string; user?: UserEntry }[];
}

/** A kubeconfig that cannot be used. `message` is one line. */
export class KubeConfigError extends Error {
  override readonly name = 'KubeConfigError';
}

/** JSON is YAML, too; a process whose kubeconfig is JSON need not load the YAML parser. */
async function parseText(text: string): Promise<unknown> {
  return text.startsWith('{') ? (JSON.parse(text) as unknown) : ((await import('yaml')).default.parse(text) as unknown);
}

/**
 * Reads a kubeconfig file's current context (or the one named).
 * @throws KubeConfigError
 */
export async function loadKubeConfig(file: string, context?: string): Promise<ClientConfig> {
  let config: KubeConfig | null;
  try {
    config = (await parseText(await readFile(file, 'utf8'))) as KubeConfig | null;
  } catch (error) {
    throw new KubeConfigError(`cannot read kubeconfig ${file}: ${(error as Error).message.split('\n')[0] ?? ''}`);
  }
  const name = context ?? config?.['current-context'] ?? '';
  const chosen = config?.contexts?.find(c => c.name === name)?.context;
  if (chosen === undefined) throw new KubeConfigError(`kubeconfig ${file} has no context ${JSON.stringify(name)}`);
  const cluster = config?.clusters?.find(c => c.name === chosen.cluster)?.cluster;
  if (cluster?.server === undefined) throw new KubeConfigError(`kubeconfig ${file} has no cluster ${chosen.cluster}`);
  const user = config?.users?.find(u => u.name === chosen.user)?.user ?? {};

  const pem = async (data: string | undefined, path: string | undefined): Promise<string | undefined> => {
    if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8');
    return path === undefined ? undefined : readFile(resolve(dirname(file), path), 'utf8');
  };
  const ca = await pem(cluster['certificate-authority-data'], cluster['certificate-authority']);
  const cert = await pem(user['client-certificate-data'], user['client-certificate']);
  const key = await pem(user['client-key-data'], user['client-key']);
  const token =
    user.token ?? (user.tokenFile && (await readFile(resolve(dirname(file), user.tokenFile), 'utf8')).trim());
  return {
    server: trimEnd(cluster.server, '/'),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(token === undefined || token === '' ? {} : { token }),
    insecureSkipTlsVerify: cluster['insecure-skip-tls-verify'] === true,
    namespace: chosen.namespace ?? 'default',
  };
}
