import { posix } from 'node:path';
import { goJsonSyntaxError, jsonTypeName } from '../../machinery/go-json.js';
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

const INVALID = 'invalid continue token: continue key is not valid';

const refuse = (why: string): never => {
  throw badRequestError(`${INVALID}: ${why}`);
};

function parse(token: string): { v?: unknown; rv?: unknown; start?: unknown } {
  const illegal = /[^A-Za-z0-9_-]/.exec(token);
  if (illegal !== null) return refuse(`illegal base64 data at input byte ${illegal.index}`);
  // Four characters are three bytes; what is left over must be at least one.
  if (token.length % 4 === 1) return refuse(`illegal base64 data at input byte ${token.length - 1}`);
  const bytes = Buffer.from(token, 'base64url');
  const complaint = goJsonSyntaxError(bytes);
  if (complaint !== undefined) return refuse(complaint);
  const value: unknown = JSON.parse(bytes.toString());
  if (value === null) return {};
  if (typeof value === 'object' && !Array.isArray(value)) return value;
  return refuse(`json: cannot unmarshal ${jsonTypeName(value)} into Go value of type storage.continueToken`);
}

/** `type`: the field's Go type; null and absence are its zero value. */
function field<T extends string | number>(name: string, value: unknown, zero: T, type: string): T {
  if (value === undefined || value === null) return zero;
  if (typeof value === typeof zero && (typeof value === 'string' || Number.isInteger(value))) return value as T;
  const given = typeof value === 'number' && typeof zero === 'number' ? `number ${value}` : jsonTypeName(value);
  return refuse(`json: cannot unmarshal ${given} into Go struct field continueToken.${name} of type ${type}`);
}

/** @throws StatusError 400 with upstream's texts (apiserver pkg/storage/continue.go) */
export function decodeContinue(token: string): ContinueToken {
  const { v, rv, start } = parse(token);
  const version = field<string>('v', v, '', 'string');
  const revision = field<number>('rv', rv, 0, 'int64');
  const first = field<string>('start', start, '', 'string');
  if (version !== VERSION) return refuse(`server does not recognize this encoded version ${version}`);
  if (revision === 0) return refuse(`incorrect encoded start resourceVersion (version ${VERSION})`);
  if (first === '') return refuse(`encoded start key empty (version ${VERSION})`);
  const key = first.startsWith('/') ? first : `/${first}`;
  // Keeps a forged token inside the list's own range.
  if (posix.normalize(key) !== key) return refuse(first);
  return { revision, after: afterOf(key.slice(1)) };
}

/** Turns "first key" into "all keys above": our own tokens end in NUL, a forged one may not. */
function afterOf(start: string): string {
  if (start.endsWith('\u0000')) return start.slice(0, -1);
  const last = start.charCodeAt(start.length - 1);
  return start === '' ? '' : `${start.slice(0, -1)}${String.fromCharCode(last - 1)}\u{10ffff}`;
}
