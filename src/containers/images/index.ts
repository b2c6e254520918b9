import type { Container, DeepReadonly, Pod } from '../../machinery/types.js';
import { agnhost } from './agnhost/index.js';
import { argocd } from './argocd.js';
import { kitten, nautilus, nonewprivs, nonroot } from './demos.js';
import { echo } from './echo.js';
import { httpd } from './httpd.js';
import { ingress } from './ingress.js';
import { nginx } from './nginx.js';
import { pause } from './pause.js';
import type { ImageReference } from './reference.js';
import { busybox, curl, distribution } from './shells.js';
import type { Image } from './types.js';
import { unknownImage } from './unknown.js';
import { webhookCertgen } from './webhook-certgen.js';

/** Every simulated image. What is not among them does what its Pod asks. */
const IMAGES: readonly Image[] = [
  echo,
  nginx,
  httpd,
  busybox,
  distribution,
  curl,
  agnhost,
  pause,
  nautilus,
  kitten,
  nonewprivs,
  nonroot,
  webhookCertgen,
  ingress,
];

/** Programs of images that are otherwise not known, without which their Pods would wait for ever. */
const PARTLY_KNOWN: ReadonlyMap<string, Image['programs']> = new Map([['argocd', { argocd }]]);

const byName = new Map(IMAGES.flatMap(image => image.names.map(name => [name, image] as const)));

/** The image of a repository's last name; undefined when there is none of its own. */
export const knownImage = (repository: string): Image | undefined => byName.get(repository);

/** What a container runs. */
export const imageFor = (
  { repository }: ImageReference,
  pod: DeepReadonly<Pod>,
  spec: DeepReadonly<Container>,
): Image => knownImage(repository) ?? unknownImage(pod, spec, PARTLY_KNOWN.get(repository));
