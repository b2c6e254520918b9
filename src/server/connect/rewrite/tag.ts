import type { LinkRewriter } from './link.js';

/** Which attributes of which elements hold URLs (apimachinery util/proxy transport.go). */
const URL_ATTRIBUTES: Readonly<Record<string, readonly string[]>> = {
  a: ['href'],
  applet: ['codebase'],
  area: ['href'],
  audio: ['src'],
  base: ['href'],
  blockquote: ['cite'],
  body: ['background'],
  button: ['formaction'],
  command: ['icon'],
  del: ['cite'],
  embed: ['src'],
  form: ['action'],
  frame: ['longdesc', 'src'],
  head: ['profile'],
  html: ['manifest'],
  iframe: ['longdesc', 'src'],
  img: ['longdesc', 'src', 'usemap'],
  input: ['src', 'usemap', 'formaction'],
  ins: ['cite'],
  link: ['href'],
  object: ['classid', 'codebase', 'data', 'usemap'],
  q: ['cite'],
  script: ['src'],
  source: ['src'],
  video: ['poster', 'src'],
};

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** Character references that URLs are written with. Others stay, and are then escaped like any "&". */
const unescape = (text: string): string =>
  text.replace(/&(?:#(\d{1,7})|#[xX]([0-9A-Fa-f]{1,6})|(amp|lt|gt|quot|apos));/g, (all, decimal, hex, name) => {
    if (name !== undefined) return ENTITIES[name as string] ?? all;
    const code = decimal === undefined ? parseInt(hex as string, 16) : Number(decimal);
    return code > 0 && code < 0x80 ? String.fromCharCode(code) : all;
  });

const escape = (text: string): string =>
  text.replace(/&/g, '&amp;').replace(/"/g, '&#34;').replace(/'/g, '&#39;').replace(/</g, '&lt;').replace(/>/g, '&gt;');

const isSpace = (c: string | undefined): boolean => c === ' ' || c === '\n' || c === '\t' || c === '\r' || c === '\f';

/** A start tag with the URLs in it rewritten; everything else stays as it was written. */
export function rewriteTag(tag: string, rewrite: LinkRewriter): string {
  let at = 1;
  const name = (): string => {
    const from = at;
    while (at < tag.length && !isSpace(tag[at]) && !'/>='.includes(tag[at] ?? '')) at++;
    return tag.slice(from, at).toLowerCase();
  };
  const skipSpace = (): void => {
    while (isSpace(tag[at])) at++;
  };
  const element = name();
  const attributes = Object.hasOwn(URL_ATTRIBUTES, element) ? URL_ATTRIBUTES[element] : undefined;
  if (attributes === undefined) return tag;
  let out = '';
  let copied = 0;
  while (at < tag.length) {
    while (isSpace(tag[at]) || tag[at] === '/' || tag[at] === '=') at++;
    if (at >= tag.length || tag[at] === '>') break;
    const attribute = name();
    skipSpace();
    if (tag[at] !== '=') continue;
    at++;
    skipSpace();
    const from = at;
    const quote = tag[at];
    if (quote === '"' || quote === "'") {
      const end = tag.indexOf(quote, at + 1);
      at = end < 0 ? tag.length : end + 1;
    } else while (at < tag.length && !isSpace(tag[at]) && tag[at] !== '>') at++;
    if (!attributes.includes(attribute)) continue;
    const written = tag.slice(from, at);
    const quoted = quote === '"' || quote === "'";
    const link = unescape(quoted ? written.slice(1, -1) : written);
    const rewritten = rewrite(link);
    if (rewritten === link) continue;
    out += `${tag.slice(copied, from)}"${escape(rewritten)}"`;
    copied = at;
  }
  return out + tag.slice(copied);
}
