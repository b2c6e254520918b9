import { compilePattern, matchesSteps } from '../../shell/pattern.js';
import { array, bulk, integer, OK, simple, texts } from './resp.js';
import { keysOf, Refused, refuse, SYNTAX, wholeNumber, type Command, type CommandSpec } from './session.js';

/** Characters compared before others have their turn, and at most with one key. */
const PER_TURN = 100_000;
const MAX_COMPARED = 1_000_000;
/** A pattern is short, as names are. */
const MAX_PATTERN = 256;

const expire =
  (unitMs: number, absolute: boolean): Command =>
  (session, [key = '', count, condition]) => {
    if (condition !== undefined) throw new Refused(SYNTAX);
    const now = session.server.process.container.clock.now();
    const at = (absolute ? 0 : now) + wholeNumber(count) * unitMs;
    if (at <= now) return integer(keysOf(session).delete(key) ? 1 : 0);
    return integer(keysOf(session).expire(key, at) ? 1 : 0);
  };

const left =
  (unitMs: number): Command =>
  (session, [key = '']) => {
    const keys = keysOf(session);
    if (keys.get(key) === undefined) return integer(-2);
    const at = keys.expiry(key);
    if (at === undefined) return integer(-1);
    return integer(Math.round((at - session.server.process.container.clock.now()) / unitMs));
  };

const remove: Command = (session, names) => integer(names.filter(key => keysOf(session).delete(key)).length);

const find: Command = async (session, [pattern = '*']) => {
  if (pattern.length > MAX_PATTERN) refuse('ERR pattern is too long');
  const steps = compilePattern([{ text: pattern, quoted: false }]);
  const keys = keysOf(session);
  const found: string[] = [];
  let compared = 0;
  for (const key of keys.keys()) {
    const cost = key.length * steps.length;
    compared += 100 + Math.min(cost, MAX_COMPARED);
    if (compared > PER_TURN) {
      compared = 0;
      await session.server.process.turn();
    }
    if ((pattern === '*' || (cost <= MAX_COMPARED && matchesSteps(steps, key))) && keys.get(key) !== undefined)
      found.push(key);
  }
  return texts(found);
};

/** All keys at once: the cursor that comes back is always the last. */
const scan: Command = async (session, [cursor, ...words]) => {
  wholeNumber(cursor);
  let pattern = '*';
  let type: string | undefined;
  for (let i = 0; i < words.length; i += 2) {
    const name = words[i]?.toUpperCase();
    if (name === 'MATCH') pattern = words[i + 1] ?? '*';
    else if (name === 'TYPE') type = words[i + 1];
    else if (name !== 'COUNT') throw new Refused(SYNTAX);
  }
  const found = await find(session, [pattern]);
  if (found.kind !== 'array') return found;
  const items = found.items.filter(
    item => type === undefined || (item.kind === 'bulk' && keysOf(session).get(item.text)?.kind === type),
  );
  return array([bulk('0'), array(items)]);
};

export const keyCommands: Readonly<Record<string, CommandSpec>> = {
  DEL: { min: 1, max: Infinity, run: remove },
  UNLINK: { min: 1, max: Infinity, run: remove },
  EXISTS: {
    min: 1,
    max: Infinity,
    run: (session, names) => integer(names.filter(key => keysOf(session).get(key) !== undefined).length),
  },
  TYPE: { min: 1, max: 1, run: (session, [key = '']) => simple(keysOf(session).get(key)?.kind ?? 'none') },
  KEYS: { min: 1, max: 1, run: find },
  SCAN: { min: 1, max: 7, run: scan },
  RENAME: {
    min: 2,
    max: 2,
    run: (session, [from = '', to = '']) => {
      const keys = keysOf(session);
      const value = keys.get(from);
      if (value === undefined) return refuse('ERR no such key');
      const at = keys.expiry(from);
      keys.delete(from);
      keys.set(to, value, at);
      return OK;
    },
  },
  EXPIRE: { min: 2, max: 3, run: expire(1000, false) },
  PEXPIRE: { min: 2, max: 3, run: expire(1, false) },
  EXPIREAT: { min: 2, max: 3, run: expire(1000, true) },
  PEXPIREAT: { min: 2, max: 3, run: expire(1, true) },
  PERSIST: {
    min: 1,
    max: 1,
    run: (session, [key = '']) => {
      const keys = keysOf(session);
      return integer(keys.expiry(key) !== undefined && keys.expire(key, undefined) ? 1 : 0);
    },
  },
  TTL: { min: 1, max: 1, run: left(1000) },
  PTTL: { min: 1, max: 1, run: left(1) },
  DBSIZE: { min: 0, max: 0, run: session => integer(keysOf(session).size) },
  FLUSHDB: {
    min: 0,
    max: 1,
    run: session => {
      keysOf(session).clear();
      return OK;
    },
  },
  FLUSHALL: {
    min: 0,
    max: 1,
    run: session => {
      for (const keys of session.server.databases) keys.clear();
      return OK;
    },
  },
};
