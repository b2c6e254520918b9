import { prefixEnd } from '../key-order.js';
import { NO_END, type Span } from './messages/range.js';

/** Where in etcd our keys are. */
export interface KeySpaceOptions {
  /** How keys in etcd begin, e.g. "/registry/". */
  readonly prefix: string;
  /** How the same keys begin here. */
  readonly replaces: string;
}

/** Our keys in etcd. What does not begin as ours do has the same name in both, and belongs to all who use that etcd. */
export interface KeySpace {
  stored(key: string): string;
  /** The key of ours that is stored so. */
  ours(stored: string): string;
  /** All of ours under a prefix; but for the first `after` of them. */
  under(prefix: string, after?: string): Span;
  /** Written and removed by nobody but this driver: so that a watch has something to tell. */
  readonly fence: string;
}

export function keySpace({ prefix, replaces }: KeySpaceOptions): KeySpace {
  const stored = (key: string): string => (key.startsWith(replaces) ? prefix + key.slice(replaces.length) : key);
  return {
    stored,
    ours: key => (key.startsWith(prefix) ? replaces + key.slice(prefix.length) : key),
    under(asked, after) {
      const from = replaces.startsWith(asked) ? prefix : stored(asked);
      const end = prefixEnd(from) ?? NO_END;
      const start = from === '' ? NO_END : from;
      // The next key there can be.
      const next = after === undefined ? '' : `${stored(after)}\0`;
      return { key: isAfter(next, start) ? next : start, end };
    },
    fence: `${prefix}kubette.io/fence`,
  };
}

const isAfter = (a: string, b: string): boolean => Buffer.compare(Buffer.from(a), Buffer.from(b)) > 0;
