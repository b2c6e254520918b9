import type { ImageReference } from './reference.js';
import { knownImage } from './index.js';

/** Words that people name an image or a tag by when they mean that there is none. */
const ABSENT_WORDS = ['doesnotexist', 'doesntexist', 'nonexist', 'noexist', 'notexist', 'nosuch', 'notfound'];
const ABSENT_NAMES = new Set(['404', 'invalid', 'missing']);

const meansAbsent = (name: string): boolean => {
  const bare = name.toLowerCase().replace(/[-_.]/g, '');
  return ABSENT_NAMES.has(bare) || ABSENT_WORDS.some(word => bare.includes(word));
};

/** A host under a name that no resolver answers (RFC 2606), or called invalid. */
const isNoHost = (registry: string): boolean => {
  const labels = registry.split(':', 1)[0]?.split('.') ?? [];
  return labels.at(-1) === 'invalid' || labels[0] === 'invalid' || meansAbsent(labels[0] ?? '');
};

/**
 * Why an image cannot be pulled, in containerd's words behind gRPC's code; undefined when it can. There is no registry to ask:
 * every image is there but those whose registry, path or tag says that it is not.
 */
export function pullProblem(image: ImageReference, resolver: string): string | undefined {
  const { canonical, registry, path, tag } = image;
  const failed = `failed to pull and unpack image "${canonical}": failed to resolve reference "${canonical}"`;
  if (isNoHost(registry)) {
    const url = `https://${registry}/v2/${path}/manifests/${image.digest ?? tag ?? ''}`;
    const host = registry.split(':', 1)[0] ?? '';
    return `rpc error: code = Unknown desc = ${failed}: failed to do request: Head "${url}": dial tcp: lookup ${host} on ${resolver}:53: no such host`;
  }
  if (path.split('/').some(meansAbsent)) {
    if (registry !== 'docker.io') return `rpc error: code = NotFound desc = ${failed}: ${canonical}: not found`;
    return `rpc error: code = Unknown desc = ${failed}: pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed`;
  }
  const absentTag = tag !== undefined && (meansAbsent(tag) || knownImage(path)?.hasTag?.(tag) === false);
  return absentTag ? `rpc error: code = NotFound desc = ${failed}: ${canonical}: not found` : undefined;
}
