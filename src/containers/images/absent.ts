import type { ImageReference } from './reference.js';
import { knownImage } from './index.js';
import { pullErrorText, type PullError } from './pull-errors.js';

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
 * Why an image cannot be pulled; undefined when it can. There is no registry to ask: every image is there but those whose
 * registry, path or tag says that it is not.
 */
export function pullProblem(image: ImageReference, resolver: string): string | undefined {
  const { registry, path, tag } = image;
  const because = (error: PullError): string => pullErrorText(error, image, resolver);
  if (isNoHost(registry)) return because('no-such-host');
  if (path.split('/').some(meansAbsent)) return because(registry === 'docker.io' ? 'denied' : 'not-found');
  const absentTag = tag !== undefined && (meansAbsent(tag) || knownImage(path)?.hasTag?.(tag) === false);
  return absentTag ? because('not-found') : undefined;
}
