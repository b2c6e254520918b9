import type { Container, DeepReadonly, Pod } from '../../machinery/types.js';
import { agnhost } from './agnhost/index.js';
import { argocd } from './argocd.js';
import { kitten, nautilus, nonewprivs, nonroot } from './demos.js';
import { echo } from './echo.js';
import { etcdImages } from './etcd/index.js';
import { sampleImages } from './http/samples.js';
import { serviceImages } from './http/services.js';
import { httpd } from './httpd.js';
import { ingress } from './ingress.js';
import { interpretedImage } from './interpreted.js';
import { kafkaImages } from './kafka/index.js';
import { languageImages } from './languages.js';
import { memcachedImages } from './memcached/index.js';
import { mongoImages } from './mongo/index.js';
import { mysqlImages } from './mysql/index.js';
import { nats } from './nats/index.js';
import { nginxImages } from './nginx.js';
import { pause } from './pause.js';
import { postgresImages } from './postgres/index.js';
import { rabbitmqImages } from './rabbitmq/index.js';
import { redisImages } from './redis/index.js';
import type { ImageReference } from './reference.js';
import { busybox, curl, distribution } from './shells.js';
import type { Image, KnownImage } from './types.js';
import { unknownImage } from './unknown.js';
import { webhookCertgen } from './webhook-certgen.js';
import { zookeeperImages } from './zookeeper/index.js';

/** Every simulated image. What is not among them does what its Pod asks. */
export const IMAGES: readonly KnownImage[] = [
  busybox,
  distribution,
  curl,
  ...nginxImages,
  httpd,
  ...sampleImages,
  ...languageImages,
  ...redisImages,
  ...memcachedImages,
  ...postgresImages,
  ...mysqlImages,
  ...mongoImages,
  ...rabbitmqImages,
  ...kafkaImages,
  ...zookeeperImages,
  nats,
  ...etcdImages,
  ...serviceImages,
  echo,
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

/** The image of a path without registry, e.g. "library/redis": of owner and name, or of any owner's name. */
export function knownImage(path: string): KnownImage | undefined {
  const parts = path.split('/');
  return byName.get(parts.slice(-2).join('/')) ?? byName.get(parts.at(-1) ?? '');
}

/** What a container runs. */
export function imageFor(
  { path, repository }: ImageReference,
  pod: DeepReadonly<Pod>,
  spec: DeepReadonly<Container>,
): Image {
  const known = knownImage(path);
  if (known === undefined) return unknownImage(pod, spec, PARTLY_KNOWN.get(repository));
  return known.interpreters === undefined ? known : interpretedImage(known, pod, spec);
}
