import { HOP_BY_HOP } from '../../machinery/hop-by-hop.js';
import type { HeaderChange } from '../routing/route.js';

/** Names and values in turn, as node:http takes and gives them. */
export type RawHeaders = readonly string[];

/** Who asked, how, and for whom: what a backend cannot see itself. */
export interface Forwarded {
  readonly client: string;
  /** As the client sent it. */
  readonly host: string;
  readonly scheme: 'http' | 'https';
  readonly port: number;
  readonly requestId: string;
}

const PER_HOP: ReadonlySet<string> = new Set(HOP_BY_HOP);

/** What only this proxy says. */
const OWN: ReadonlySet<string> = new Set([
  'host',
  'content-length',
  'expect',
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-forwarded-scheme',
  'x-original-forwarded-for',
  'x-real-ip',
  'x-scheme',
  'http2-settings',
]);

function* pairs(raw: RawHeaders): Generator<readonly [name: string, value: string]> {
  for (let i = 0; i + 1 < raw.length; i += 2) yield [raw[i] ?? '', raw[i + 1] ?? ''];
}

/** Those that Connection names are for the neighbour only. */
function namedByConnection(raw: RawHeaders): ReadonlySet<string> {
  const names = new Set<string>();
  for (const [name, value] of pairs(raw))
    if (name.toLowerCase() === 'connection')
      for (const option of value.split(',')) names.add(option.trim().toLowerCase());
  return names;
}

/** All of a name, or the one there is of it. */
export const valuesOf = (raw: RawHeaders, wanted: string): string[] =>
  [...pairs(raw)].filter(([name]) => name.toLowerCase() === wanted).map(([, value]) => value);

function changed(headers: [string, string][], changes: readonly (HeaderChange | undefined)[]): [string, string][] {
  let result = headers;
  for (const change of changes) {
    if (change === undefined) continue;
    const gone = new Set([...change.remove, ...change.set.map(({ name }) => name)]);
    result = result.filter(([name]) => !gone.has(name.toLowerCase()));
    for (const { name, value } of [...change.set, ...change.add]) result.push([name, value]);
  }
  return result;
}

/** How a body is sent on: as long as was said, in chunks, or there is none. */
export function framingOf(raw: RawHeaders, method: string): [string, string][] {
  if (valuesOf(raw, 'transfer-encoding').length > 0) return [['Transfer-Encoding', 'chunked']];
  const [length] = valuesOf(raw, 'content-length');
  if (length !== undefined) return [['Content-Length', length]];
  // Without a word node would send chunks.
  return ['GET', 'HEAD', 'OPTIONS', 'DELETE'].includes(method) ? [] : [['Content-Length', '0']];
}

/**
 * What a backend is sent: made anew, nothing of the client's connection is in it. Names with an underscore are left out, as nginx has it:
 * to CGI and its like they are the same as those with a dash.
 */
export function requestHeaders(
  raw: RawHeaders,
  forwarded: Forwarded,
  host: string,
  changes: readonly (HeaderChange | undefined)[],
): [string, string][] {
  const named = namedByConnection(raw);
  const kept: [string, string][] = [];
  let hasId = false;
  for (const [name, value] of pairs(raw)) {
    const lower = name.toLowerCase();
    if (PER_HOP.has(lower) || OWN.has(lower) || named.has(lower) || name.includes('_')) continue;
    hasId ||= lower === 'x-request-id';
    kept.push([name, value]);
  }
  return [
    ['Host', host],
    ...(hasId ? [] : [['X-Request-ID', forwarded.requestId] as [string, string]]),
    ['X-Real-IP', forwarded.client],
    ['X-Forwarded-For', forwarded.client],
    ['X-Forwarded-Host', forwarded.host],
    ['X-Forwarded-Port', String(forwarded.port)],
    ['X-Forwarded-Proto', forwarded.scheme],
    ['X-Forwarded-Scheme', forwarded.scheme],
    ['X-Scheme', forwarded.scheme],
    ...changed(kept, changes),
  ];
}

/** What a client is answered. */
export function responseHeaders(raw: RawHeaders, changes: readonly (HeaderChange | undefined)[]): [string, string][] {
  const named = namedByConnection(raw);
  const kept: [string, string][] = [];
  for (const [name, value] of pairs(raw)) {
    const lower = name.toLowerCase();
    if (!PER_HOP.has(lower) && !(named.has(lower) && lower !== 'content-length')) kept.push([name, value]);
  }
  return changed(kept, changes);
}
