import { posix } from 'node:path';
import type { DialTarget, TlsSettings } from '../dial/types.js';

/** Where a configuration says that a webhook is. */
export interface ClientConfig {
  readonly url?: string | undefined;
  readonly service?:
    | {
        readonly namespace: string;
        readonly name: string;
        readonly path?: string | undefined;
        readonly port?: number | undefined;
      }
    | undefined;
  /** PEM, in base64. */
  readonly caBundle?: string | undefined;
}

/** A webhook, as far as it takes to talk to it. */
export interface Endpoint {
  readonly target: DialTarget;
  readonly tls: TlsSettings;
  /** "https://host[:port]": what messages show, and what the Host header says. */
  readonly origin: string;
  readonly path: string;
}

const HTTPS = 443;

/** Go's URL.EscapedPath leaves these and letters and digits as they are. */
const escaped = (path: string): string =>
  encodeURI(path).replace(/[!*'()?#]/g, c => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

/** client-go joins the path to the root, which cleans it. */
function cleaned(path: string): string {
  const clean = posix.normalize(`/${path}`);
  const bare = clean.length > 1 && clean.endsWith('/') ? clean.slice(0, -1) : clean;
  try {
    return escaped(decodeURIComponent(bare));
  } catch {
    // Half a character, or a percent sign that stands for itself.
    return bare;
  }
}

const bundle = (text: string | undefined): { readonly ca?: string } => {
  const ca = text === undefined ? '' : Buffer.from(text, 'base64').toString('latin1');
  return ca.trim() === '' ? {} : { ca };
};

/** apiserver pkg/util/webhook client.go. @throws TypeError for a URL that is none, which validation keeps out */
export function endpointOf({ url, service, caBundle }: ClientConfig): Endpoint {
  if (service !== undefined) {
    const { namespace, name, path = '', port = HTTPS } = service;
    const serverName = `${name}.${namespace}.svc`;
    return {
      target: { kind: 'service', namespace, name, port },
      tls: { ...bundle(caBundle), serverName },
      origin: `https://${serverName}:${port}`,
      path: cleaned(path),
    };
  }
  const { hostname, host, port, pathname, protocol } = new URL(url ?? '');
  const bare = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  return {
    target: { kind: 'host', host: bare, port: port === '' ? HTTPS : Number(port) },
    tls: { ...bundle(caBundle), serverName: bare },
    origin: `${protocol}//${host}`,
    path: cleaned(pathname),
  };
}
