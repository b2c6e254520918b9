/**
 * Names of container images, as Docker's reference grammar has them.
 * Source: github.com/distribution/reference regexp.go, normalize.go.
 */
const NAME_PART = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const HOST_PART = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const DOMAIN = `(?:${HOST_PART}(?:\\.${HOST_PART})*|\\[(?:[a-fA-F0-9:]+)\\])(?::[0-9]+)?`;
const TAG = '[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}';
const DIGEST = '[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}';
const REFERENCE = new RegExp(`^((?:${DOMAIN}/)?${NAME_PART}(?:/${NAME_PART})*)(?::(${TAG}))?(?:@(${DIGEST}))?$`);

const IDENTIFIER = /^[a-f0-9]{64}$/;
const DIGEST_HEX: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 };
const MAX_NAME = 255;

/** "nginx" → "docker.io/library/nginx": only what looks like a host before the first slash is one. */
function withDomain(image: string): string {
  const slash = image.indexOf('/');
  const first = image.slice(0, Math.max(slash, 0));
  const isHost = slash >= 0 && (/[.:]/.test(first) || first === 'localhost' || first.toLowerCase() !== first);
  if (!isHost) return `docker.io/${slash < 0 ? 'library/' : ''}${image}`;
  const rest = image.slice(slash + 1);
  return first === 'docker.io' && !rest.includes('/') ? `docker.io/library/${rest}` : image;
}

function isDigest(text: string): boolean {
  const [algorithm = '', hex = ''] = text.split(':');
  return DIGEST_HEX[algorithm] === hex.length && hex === hex.toLowerCase();
}

/** Most images: no host, no digest. Nothing in it can be wrong but a name that is an identifier. */
const PLAIN =
  /^[a-z0-9]+(?:[._-][a-z0-9]+)*(?:\/[a-z0-9]+(?:[._-][a-z0-9]+)*)?(?::([A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?$/;

/** Whether the image is pulled each time: its tag is "latest" or it has neither tag nor digest. A bad name is not. */
export function isLatestImage(image: string): boolean {
  const plain = image.length < 64 ? PLAIN.exec(image) : null;
  if (plain !== null) return (plain[1] ?? 'latest') === 'latest';
  if (IDENTIFIER.test(image)) return false;
  const [, name = '', tag, digest] = REFERENCE.exec(withDomain(image)) ?? [];
  const path = name.slice(name.indexOf('/') + 1);
  if (name === '' || name.length > MAX_NAME || path.toLowerCase() !== path) return false;
  if (digest !== undefined && !isDigest(digest)) return false;
  return tag === undefined ? digest === undefined : tag === 'latest';
}
