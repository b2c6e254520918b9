import type { Route } from './route.js';
import { DEFAULT_LIMITS } from './route.js';

/** What annotations of ingress-nginx ask for, as far as they are known here. */
export interface Settings extends Pick<
  Route,
  'maxBody' | 'connectTimeoutMs' | 'readTimeoutMs' | 'requestTimeoutMs' | 'secureBackend' | 'rewrite'
> {
  /** Plain requests for a host with TLS are sent to HTTPS. */
  readonly sslRedirect: boolean;
  /** Those for other hosts, too. */
  readonly forceSslRedirect: boolean;
}

export const ANNOTATION_PREFIX = 'nginx.ingress.kubernetes.io/';
const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** "8m" as nginx writes sizes; undefined: it is none. */
function sizeOf(text: string): number | undefined {
  const match = /^(\d{1,12})([kmg]?)$/.exec(text.trim().toLowerCase());
  return match === null ? undefined : Number(match[1]) * (UNITS[match[2] ?? ''] ?? 1);
}

const booleanOf = (text: string): boolean | undefined =>
  text === 'true' ? true : text === 'false' ? false : undefined;

const secondsOf = (text: string): number | undefined => (/^[1-9]\d{0,5}$/.test(text) ? Number(text) * 1000 : undefined);

type Change = Partial<Settings>;

const optional = (field: keyof Settings, value: number | boolean | undefined): Change | undefined =>
  value === undefined ? undefined : { [field]: value };

/** Each: what its text changes; undefined: the text is wrong. */
const KNOWN: Readonly<Record<string, (text: string) => Change | undefined>> = {
  'ssl-redirect': text => optional('sslRedirect', booleanOf(text)),
  'force-ssl-redirect': text => optional('forceSslRedirect', booleanOf(text)),
  'proxy-body-size': text => optional('maxBody', sizeOf(text)),
  'proxy-connect-timeout': text => optional('connectTimeoutMs', secondsOf(text)),
  'proxy-read-timeout': text => optional('readTimeoutMs', secondsOf(text)),
  'backend-protocol': text => (text === 'HTTP' || text === 'HTTPS' ? { secureBackend: text === 'HTTPS' } : undefined),
  // Groups of a path's expression are not: paths are no expressions here.
  'rewrite-target': text =>
    /^\/[\w./~%-]*$/.test(text) ? { rewrite: { path: { kind: 'full', path: text } } } : undefined,
};

/** What an Ingress's annotations say, and which of them have no effect. */
export function settingsOf(annotations: Readonly<Record<string, string>> = {}): {
  readonly settings: Settings;
  readonly problems: readonly string[];
} {
  let settings: Settings = { ...DEFAULT_LIMITS, sslRedirect: true, forceSslRedirect: false };
  const problems: string[] = [];
  for (const [name, text] of Object.entries(annotations)) {
    if (!name.startsWith(ANNOTATION_PREFIX)) continue;
    const known = KNOWN[name.slice(ANNOTATION_PREFIX.length)];
    const change = known?.(text);
    if (change !== undefined) settings = { ...settings, ...change };
    else
      problems.push(
        known === undefined ? `${name} has no effect here` : `${name}: ${JSON.stringify(text)} is not understood`,
      );
  }
  return { settings, problems };
}
