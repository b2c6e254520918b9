import type { ImageReference } from './reference.js';

/** Why a registry gives no image. */
export const PULL_ERRORS = ['not-found', 'denied', 'unauthorized', 'rate-limited', 'no-such-host', 'timeout'] as const;

export type PullError = (typeof PULL_ERRORS)[number];

/** containerd's words behind gRPC's code. `resolver`: the name server that the node asks for registries. */
export function pullErrorText(
  error: PullError,
  { canonical, registry, path, digest, tag }: ImageReference,
  resolver: string,
): string {
  const failed = `failed to pull and unpack image "${canonical}": failed to resolve reference "${canonical}"`;
  const host = registry.split(':', 1)[0] ?? '';
  const url = `https://${registry}/v2/${path}/manifests/${digest ?? tag ?? ''}`;
  const unknown = (why: string): string => `rpc error: code = Unknown desc = ${failed}: ${why}`;
  switch (error) {
    case 'not-found':
      return `rpc error: code = NotFound desc = ${failed}: ${canonical}: not found`;
    case 'denied':
      return unknown(
        'pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed',
      );
    case 'unauthorized':
      return unknown(`unexpected status from HEAD request to ${url}: 401 Unauthorized`);
    case 'rate-limited':
      return unknown(`unexpected status from HEAD request to ${url}: 429 Too Many Requests`);
    case 'no-such-host':
      return unknown(`failed to do request: Head "${url}": dial tcp: lookup ${host} on ${resolver}:53: no such host`);
    case 'timeout':
      return `rpc error: code = DeadlineExceeded desc = ${failed}: failed to do request: Head "${url}": dial tcp: i/o timeout`;
  }
}
