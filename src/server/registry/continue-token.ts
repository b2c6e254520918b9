import { posix } from 'node:path';
import { badRequestError } from '../../machinery/status.js';

/** Where a list goes on: after the key `after` (relative to the list's range), at `revision` (-1: the newest). */
export interface ContinueToken {
  readonly revision: number;
  readonly after: string;
}

const VERSION = 'meta.k8s.io/v1';

/** base64url without padding of {"v","rv","start"}; `start` is the first key of the next page. */
export function encodeContinue(token: ContinueToken): string {
  const text = JSON.stringify({ v: VERSION, rv: token.revision, start: `/${token.after}\u0000` });
  return Buffer.from(text).toString('base64url');
}

const refuse = (why: string): never => {
  throw badRequestError(`invalid continue token: ${why}`);
};

/** encoding/json's complaint about the first byte of something that is no JSON value. */
function jsonComplaint(text: string): string {
  const first = text.trimStart()[0];
  if (first === undefined) return 'unexpected end of JSON input';
  if (/[[\]{}"\d\-tfn]/.test(first)) return `invalid character '${first}' after top-level value`;
  return `invalid character '${first}' looking for beginning of value`;
}

function parse(token: string): { v?: unknown; rv?: unknown; start?: unknown } {
  const illegal = /[^A-Za-z0-9_-]/.exec(token);
  if (illegal !== null) return refuse(`continue key is not valid: illegal base64 data at input byte ${illegal.index}`);
  const text = Buffer.from(token, 'base64url').toString();
  try {
    return JSON.parse(text) as { v?: unknown };
  } catch {
    return refuse(`continue key is not valid: ${jsonComplaint(text)}`);
  }
}

/** @throws StatusError 400 with upstream's texts (apiserver pkg/storage/continue.go) */
export function decodeContinue(token: string): ContinueToken {
  const { v = '', rv = 0, start = '' } = parse(token);
  if (v !== VERSION) return refuse(`unrecognized encoded version ${String(v)}`);
  if (typeof rv !== 'number' || rv === 0) {
    return refuse('continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)');
  }
  if (typeof start !== 'string' || start === '') {
    return refuse('continue key is not valid: encoded start key empty (version meta.k8s.io/v1)');
  }
  const key = start.startsWith('/') ? start : `/${start}`;
  // Keeps a forged token inside the list's own range.
  if (posix.normalize(key) !== key) return refuse(`invalid key: ${start}`);
  return { revision: rv, after: afterOf(key.slice(1)) };
}

/** Turns "first key" into "all keys above": our own tokens end in NUL, a forged one may not. */
function afterOf(start: string): string {
  if (start.endsWith('\u0000')) return start.slice(0, -1);
  const last = start.charCodeAt(start.length - 1);
  return start === '' ? '' : `${start.slice(0, -1)}${String.fromCharCode(last - 1)}\u{10ffff}`;
}
