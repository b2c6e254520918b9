import { createHash } from 'node:crypto';

/** An image reference, as the container runtime understands it. */
export interface ImageReference {
  /** With registry, path and tag: "docker.io/library/busybox:latest". */
  readonly canonical: string;
  /** "docker.io", with the port where it has one. */
  readonly registry: string;
  /** Without the registry: "library/busybox". */
  readonly path: string;
  /** "latest" unless the text says another; undefined when it has a digest. */
  readonly tag: string | undefined;
  readonly digest: string | undefined;
  /** The last part of the path: "busybox". */
  readonly repository: string;
  /** "docker.io/library/busybox@sha256:...": status.imageID. */
  readonly id: string;
}

const COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const TAG = /^[\w][\w.-]{0,127}$/;

/** Undefined when the text is no image reference ("InvalidImageName"). */
export function parseImage(text: string): ImageReference | undefined {
  const [name = '', digest] = text.split('@');
  const slash = name.lastIndexOf('/');
  const colon = name.indexOf(':', slash + 1);
  const tag = colon < 0 ? undefined : name.slice(colon + 1);
  const parts = (colon < 0 ? name : name.slice(0, colon)).split('/');
  const [first = ''] = parts;
  const hasRegistry = parts.length > 1 && /[.:]|^localhost$/.test(first);
  const registry = hasRegistry ? (parts.shift() ?? '') : 'docker.io';
  if (parts.some(part => !COMPONENT.test(part)) || (tag !== undefined && !TAG.test(tag))) return undefined;
  if (digest !== undefined && !/^sha256:[0-9a-f]{64}$/.test(digest)) return undefined;
  const path = !hasRegistry && parts.length === 1 ? `library/${parts[0] ?? ''}` : parts.join('/');
  const suffix = digest === undefined ? `:${tag ?? 'latest'}` : `@${digest}`;
  const canonical = `${registry}/${path}${suffix}`;
  const sum = digest ?? `sha256:${createHash('sha256').update(canonical).digest('hex')}`;
  return {
    canonical,
    registry,
    path,
    tag: digest === undefined ? (tag ?? 'latest') : undefined,
    digest,
    repository: parts.at(-1) ?? '',
    id: `${registry}/${path}@${sum}`,
  };
}
