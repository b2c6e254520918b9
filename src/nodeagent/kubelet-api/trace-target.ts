import { HttpError } from './types.js';

/** What a trace contacts, and how. */
export interface TraceTarget {
  readonly text: string;
  readonly protocol: 'http' | 'https' | 'tcp' | 'udp' | 'sctp';
  /** A name, or an address without brackets. */
  readonly host: string;
  readonly port: number;
  /** As a client writes it into Host. */
  readonly authority: string;
  /** Path and query of an HTTP request. */
  readonly path: string;
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443 };
const isProtocol = (text: string): text is TraceTarget['protocol'] =>
  text === 'http' || text === 'https' || text === 'tcp' || text === 'udp' || text === 'sctp';
/** Longer than any name, port and path worth tracing. */
const MAX_URL = 2048;

/** Reads "http://my-app", "my-app:8080", "udp://kube-dns.kube-system:53". @throws HttpError that says what is wrong with it */
export function parseTarget(given: string): TraceTarget {
  if (given.length > MAX_URL) throw new HttpError(400, `url is longer than ${MAX_URL} characters`);
  const at = given.indexOf('://');
  const protocol = at < 0 ? 'http' : given.slice(0, at).toLowerCase();
  const rest = at < 0 ? given : given.slice(at + 3);
  if (!isProtocol(protocol))
    throw new HttpError(400, `${JSON.stringify(protocol)} cannot be traced: use http, https, tcp, udp or sctp`);
  // Read as http whatever it is, so that a name means the same everywhere.
  const url = URL.canParse(`http://${rest}`) ? new URL(`http://${rest}`) : undefined;
  if (url === undefined || url.hostname === '') {
    const port = portText(rest);
    if (port !== undefined && URL.canParse(`http://${rest.replace(`:${port}`, '')}`))
      throw new HttpError(400, `port ${JSON.stringify(port)} is not a number from 1 to 65535`);
    throw new HttpError(400, `url ${JSON.stringify(given)} cannot be understood`);
  }
  const port = url.port === '' ? explicitDefault(rest, protocol) : Number(url.port);
  if (port === undefined) throw new HttpError(400, `${protocol}:// needs a port`);
  if (port === 0) throw new HttpError(400, 'port "0" is not a number from 1 to 65535');
  const host = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
  const shownPort = port === DEFAULT_PORTS[protocol] ? '' : `:${port}`;
  const authority = `${url.hostname}${shownPort}`;
  const path = `${url.pathname}${url.search}`;
  const text = `${protocol}://${authority}${protocol in DEFAULT_PORTS ? path : ''}`;
  return { text, protocol, host, port, authority, path };
}

/** The part after the last colon of the authority. */
function portText(rest: string): string | undefined {
  const end = rest.search(/[/?#]/);
  const authority = end < 0 ? rest : rest.slice(0, end);
  const colon = authority.lastIndexOf(':');
  return colon < 0 ? undefined : authority.slice(colon + 1);
}

/** URL leaves out ":80", which is http's own port but not tcp's. */
function explicitDefault(rest: string, protocol: string): number | undefined {
  return portText(rest) === '80' || Number(portText(rest)) === 80 ? 80 : DEFAULT_PORTS[protocol];
}
