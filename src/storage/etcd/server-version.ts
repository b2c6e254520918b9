import type { EtcdClient } from './client.js';

/** A server's version, as far as it matters. */
export interface ServerVersion {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}

export function parseVersion(text: string): ServerVersion {
  const [, major = '0', minor = '0', patch = '0'] = /^(\d+)\.(\d+)\.(\d+)/.exec(text) ?? [];
  return { major: Number(major), minor: Number(minor), patch: Number(patch) };
}

/** Fragmented watches, and ids of watches that the client chooses, came with 3.4. */
export const isSupported = ({ major, minor }: ServerVersion): boolean => major === 3 && minor >= 4;

/**
 * Whether an answer to a progress request means that everything up to its revision has been delivered. It does not in
 * older servers, which may answer before they tell (etcd#15220); upstream draws the same line.
 */
export function tellsProgress({ minor, patch }: ServerVersion): boolean {
  if (minor === 4) return patch >= 31;
  return minor === 5 ? patch >= 13 : minor > 5;
}

/** Whether the server that answers now does: the next one may be of another version. @throws GrpcError */
export const serverTellsProgress = async (client: Pick<EtcdClient, 'status'>): Promise<boolean> =>
  tellsProgress(parseVersion((await client.status()).version));
