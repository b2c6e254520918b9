import { array, bulk, integer, NIL, OK } from './resp.js';
import {
  keysOf,
  Refused,
  refuse,
  SYNTAX,
  valueOf,
  wholeNumber,
  type Command,
  type CommandSpec,
  type Session,
} from './session.js';

const MAX_TEXT = 16 * 1024 * 1024;

const add = (session: Session, key: string, by: number): number => {
  const value = valueOf(session, key, 'string');
  const sum = wholeNumber(value?.text ?? '0') + by;
  if (!Number.isSafeInteger(sum)) refuse('ERR increment or decrement would overflow');
  keysOf(session).set(key, { kind: 'string', text: String(sum) }, keysOf(session).expiry(key));
  return sum;
};

interface SetOptions {
  expiresAt: number | undefined;
  keep: boolean;
  only: 'NX' | 'XX' | undefined;
  get: boolean;
}

function setOptions(now: number, words: readonly string[]): SetOptions {
  const options: SetOptions = { expiresAt: undefined, keep: false, only: undefined, get: false };
  for (let i = 0; i < words.length; i++) {
    const word = (words[i] ?? '').toUpperCase();
    if (word === 'NX' || word === 'XX') options.only = word;
    else if (word === 'GET') options.get = true;
    else if (word === 'KEEPTTL') options.keep = true;
    else if (word in UNITS) options.expiresAt = expiryOf(now, word, wholeNumber(words[++i]));
    else throw new Refused(SYNTAX);
  }
  return options;
}

const UNITS: Readonly<Record<string, { readonly ms: number; readonly absolute: boolean }>> = {
  EX: { ms: 1000, absolute: false },
  PX: { ms: 1, absolute: false },
  EXAT: { ms: 1000, absolute: true },
  PXAT: { ms: 1, absolute: true },
};

function expiryOf(now: number, unit: string, count: number): number {
  const { ms, absolute } = UNITS[unit] ?? { ms: 1, absolute: true };
  if (count <= 0) refuse("ERR invalid expire time in 'set' command");
  return (absolute ? 0 : now) + count * ms;
}

const set: Command = (session, [key = '', text = '', ...words]) => {
  const keys = keysOf(session);
  const { expiresAt, keep, only, get } = setOptions(session.server.process.container.clock.now(), words);
  const old = get ? valueOf(session, key, 'string')?.text : undefined;
  const exists = keys.get(key) !== undefined;
  if (only !== undefined && exists !== (only === 'XX')) return get ? bulk(old) : NIL;
  keys.set(key, { kind: 'string', text }, keep ? keys.expiry(key) : expiresAt);
  return get ? bulk(old) : OK;
};

const append: Command = (session, [key = '', more = '']) => {
  const value = valueOf(session, key, 'string');
  if (value === undefined) keysOf(session).set(key, { kind: 'string', text: more });
  else {
    if (value.text.length + more.length > MAX_TEXT)
      refuse('ERR string exceeds maximum allowed size (proto-max-bulk-len)');
    keysOf(session).grew(key, more.length);
    value.text += more;
  }
  return integer((value?.text ?? more).length);
};

const pairs = (args: readonly string[], name: string): (readonly [string, string])[] => {
  if (args.length % 2 !== 0) refuse(`ERR wrong number of arguments for '${name}' command`);
  return Array.from({ length: args.length / 2 }, (_, i) => [args[2 * i] ?? '', args[2 * i + 1] ?? ''] as const);
};

export const stringCommands: Readonly<Record<string, CommandSpec>> = {
  GET: { min: 1, max: 1, run: (session, [key = '']) => bulk(valueOf(session, key, 'string')?.text) },
  SET: { min: 2, max: 8, run: set },
  SETNX: {
    min: 2,
    max: 2,
    run: (session, [key = '', text = '']) => {
      if (keysOf(session).get(key) !== undefined) return integer(0);
      keysOf(session).set(key, { kind: 'string', text });
      return integer(1);
    },
  },
  SETEX: { min: 3, max: 3, run: (session, [key = '', s = '', text = '']) => set(session, [key, text, 'EX', s]) },
  PSETEX: { min: 3, max: 3, run: (session, [key = '', ms = '', text = '']) => set(session, [key, text, 'PX', ms]) },
  GETSET: { min: 2, max: 2, run: (session, [key = '', text = '']) => set(session, [key, text, 'GET']) },
  GETDEL: {
    min: 1,
    max: 1,
    run: (session, [key = '']) => {
      const text = valueOf(session, key, 'string')?.text;
      keysOf(session).delete(key);
      return bulk(text);
    },
  },
  MGET: {
    min: 1,
    max: Infinity,
    run: (session, keys) =>
      array(
        keys.map(key => {
          const value = keysOf(session).get(key);
          return value?.kind === 'string' ? bulk(value.text) : NIL;
        }),
      ),
  },
  MSET: {
    min: 2,
    max: Infinity,
    run: (session, args) => {
      for (const [key, text] of pairs(args, 'mset')) keysOf(session).set(key, { kind: 'string', text });
      return OK;
    },
  },
  APPEND: { min: 2, max: 2, run: append },
  STRLEN: { min: 1, max: 1, run: (session, [key = '']) => integer(valueOf(session, key, 'string')?.text.length ?? 0) },
  INCR: { min: 1, max: 1, run: (session, [key = '']) => integer(add(session, key, 1)) },
  DECR: { min: 1, max: 1, run: (session, [key = '']) => integer(add(session, key, -1)) },
  INCRBY: { min: 2, max: 2, run: (session, [key = '', by]) => integer(add(session, key, wholeNumber(by))) },
  DECRBY: { min: 2, max: 2, run: (session, [key = '', by]) => integer(add(session, key, -wholeNumber(by))) },
};
