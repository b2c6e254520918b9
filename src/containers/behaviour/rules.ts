import type { Container, DeepReadonly, Pod } from '../../machinery/types.js';
import { parseImage } from '../images/reference.js';
import { matchesGlob } from './glob.js';
import type { Behaviour } from './settings.js';

/** Which containers a rule is about: those for which all that is given holds. */
export interface RuleMatch {
  /** A glob of the image, as its Pod writes it or whole ("docker.io/library/nginx:1.27"), with its tag or without. */
  readonly image?: string;
  /** A glob of the Pod's namespace. */
  readonly namespace?: string;
  /** Labels that the Pod has. */
  readonly labels?: Readonly<Record<string, string>>;
  /** A glob of the container's name. */
  readonly container?: string;
}

export interface Rule {
  readonly match: RuleMatch;
  readonly behaviour: Behaviour;
}

type Of = { readonly pod: DeepReadonly<Pod>; readonly spec: DeepReadonly<Container>; readonly isMain: boolean };

/** Whether a rule is about a container. One that names neither image nor container is about main containers only. */
export function matchesRule({ image, namespace, labels, container }: RuleMatch, { pod, spec, isMain }: Of): boolean {
  const { metadata } = pod;
  if (image === undefined && container === undefined && !isMain) return false;
  if (container !== undefined && !matchesGlob(spec.name, container)) return false;
  if (namespace !== undefined && !matchesGlob(metadata.namespace ?? '', namespace)) return false;
  if (Object.entries(labels ?? {}).some(([key, value]) => metadata.labels?.[key] !== value)) return false;
  return image === undefined || imageNames(spec.image ?? '').some(name => matchesGlob(name, image));
}

/** All that an image is called. */
function imageNames(image: string): string[] {
  const parsed = parseImage(image);
  if (parsed === undefined) return [image];
  const { canonical, registry, path } = parsed;
  const untagged = image.split('@', 1)[0] ?? '';
  const colon = untagged.lastIndexOf(':');
  const bare = colon > untagged.lastIndexOf('/') ? untagged.slice(0, colon) : untagged;
  return [image, bare, canonical, `${registry}/${path}`];
}
