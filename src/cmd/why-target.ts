import type { AskedPort } from '../explain/service-reason.js';
import { KINDS } from '../explain/trace-ends.js';
import { parseTarget } from '../nodeagent/kubelet-api/trace-target.js';
import { FlagError } from './process.js';

export interface WhyOptions {
  readonly namespace: string;
  /** Who asks; undefined: a node. */
  readonly from?: string;
}

/** What is asked of a Service. */
export interface ServiceQuestion extends WhyOptions {
  readonly asked?: AskedPort;
  /** How the port is asked: as the URL says, else as the port is named. */
  readonly protocol?: string;
  readonly path?: string;
}

/** What somebody asks about. */
export type WhyTarget =
  | {
      readonly kind: 'service';
      /** Undefined: the one of the command. */
      readonly namespace?: string;
      readonly name: string;
      readonly port?: number;
    }
  | { readonly kind: 'pod' | 'deployment'; readonly namespace?: string; readonly name: string }
  | { readonly kind: 'node'; readonly name: string }
  | {
      readonly kind: 'url';
      readonly url: string;
      readonly protocol: 'http' | 'https' | 'tcp' | 'udp' | 'sctp';
      readonly host: string;
      readonly port: number;
      readonly path: string;
    };

const WANTED = 'want svc/NAME, pod/NAME, deploy/NAME, node/NAME or a URL';

/** Reads "svc/web", "svc/shop/web:8080", "pod/web-1", "deploy/web", "http://web:8080/x", "web:8080". @throws FlagError, HttpError */
export function parseWhat(text: string): WhyTarget {
  const slash = text.indexOf('/');
  const first = slash < 0 ? '' : text.slice(0, slash).toLowerCase();
  const isUrl = text.includes('://') || slash < 0 || /[.:]/.test(first);
  if (isUrl) {
    const { text: url, protocol, host, port, path } = parseTarget(text);
    return { kind: 'url', url, protocol, host, port, path };
  }
  const known = Object.hasOwn(KINDS, first) ? KINDS[first] : undefined;
  if (known === undefined) throw new FlagError(`${JSON.stringify(text)} is of no kind that is known here: ${WANTED}`);
  const kind = known.toLowerCase() as Lowercase<typeof known>;
  const parts = text.slice(slash + 1).split('/');
  const [last = ''] = parts.slice(-1);
  const match = /^([^:]+)(?::(\d{1,5}))?$/.exec(last);
  const name = match?.[1];
  if (parts.length > 2 || name === undefined || parts[0] === '' || (match?.[2] !== undefined && kind !== 'service'))
    throw new FlagError(`${JSON.stringify(text)} cannot be understood: ${WANTED}`);
  const namespace = parts.length === 2 ? { namespace: parts[0] ?? '' } : {};
  if (kind === 'node') return { kind, name };
  return kind === 'service'
    ? { kind, name, ...namespace, ...(match?.[2] === undefined ? {} : { port: Number(match[2]) }) }
    : { kind, name, ...namespace };
}
