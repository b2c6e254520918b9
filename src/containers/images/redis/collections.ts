import { ENTRY_BYTES } from './keyspace.js';
import { array, bulk, integer, map, NIL, OK, set, texts } from './resp.js';
import { keysOf, refuse, valueOf, wholeNumber, type Command, type CommandSpec, type Session } from './session.js';

/** Items of one collection: what is done with all of them is done in one turn. */
const MAX_ITEMS = 64 * 1024;

const checkRoom = (count: number): void => {
  if (count > MAX_ITEMS) refuse(`ERR more than ${MAX_ITEMS} items of one key are not simulated`);
};

const emptied = (session: Session, key: string, size: number): void => {
  if (size === 0) keysOf(session).delete(key);
};

const push =
  (left: boolean): Command =>
  (session, [key = '', ...items]) => {
    if (valueOf(session, key, 'list') === undefined) keysOf(session).set(key, { kind: 'list', items: [] });
    const list = valueOf(session, key, 'list')?.items ?? [];
    checkRoom(list.length + items.length);
    keysOf(session).grew(key, weigh(items));
    if (left) list.splice(0, 0, ...items.reverse());
    else list.push(...items);
    return integer(list.length);
  };

const weigh = (items: readonly string[]): number => items.reduce((sum, item) => sum + item.length + ENTRY_BYTES, 0);

function take(session: Session, key: string, left: boolean): string | undefined {
  const list = valueOf(session, key, 'list')?.items;
  const item = left ? list?.shift() : list?.pop();
  if (list === undefined || item === undefined) return undefined;
  keysOf(session).grew(key, -(item.length + ENTRY_BYTES));
  emptied(session, key, list.length);
  return item;
}

const pop =
  (left: boolean): Command =>
  (session, [key = '', count]) => {
    if (count === undefined) return bulk(take(session, key, left));
    const taken: string[] = [];
    for (let n = Math.min(wholeNumber(count), MAX_ITEMS); n > 0; n--) {
      const item = take(session, key, left);
      if (item === undefined) break;
      taken.push(item);
    }
    return taken.length === 0 ? { kind: 'nil-array' } : texts(taken);
  };

const move: Command = (session, [from = '', to = '', source = 'RIGHT', target = 'LEFT']) => {
  valueOf(session, to, 'list');
  const item = take(session, from, source.toUpperCase() === 'LEFT');
  if (item === undefined) return NIL;
  void push(target.toUpperCase() === 'LEFT')(session, [to, item]);
  return bulk(item);
};

/** Of redis' indices, where the negative ones count from the end. */
const slice = (items: readonly string[], from: number, to: number): string[] => {
  const at = (index: number): number => Math.max(0, index < 0 ? items.length + index : index);
  return to < 0 && items.length + to < 0 ? [] : items.slice(at(from), at(to) + 1);
};

const hset: Command = (session, [key = '', ...args]) => {
  if (args.length % 2 !== 0) refuse("ERR wrong number of arguments for 'hset' command");
  if (valueOf(session, key, 'hash') === undefined) keysOf(session).set(key, { kind: 'hash', fields: new Map() });
  const fields = valueOf(session, key, 'hash')?.fields ?? new Map<string, string>();
  checkRoom(fields.size + args.length / 2);
  const before = fields.size;
  for (let i = 0; i < args.length; i += 2) {
    const [name = '', text = ''] = [args[i], args[i + 1]];
    const old = fields.get(name);
    keysOf(session).grew(key, text.length + (old === undefined ? name.length + ENTRY_BYTES : -old.length));
    fields.set(name, text);
  }
  return integer(fields.size - before);
};

const hdel: Command = (session, [key = '', ...names]) => {
  const fields = valueOf(session, key, 'hash')?.fields;
  let removed = 0;
  for (const name of names) {
    const old = fields?.get(name);
    if (fields?.delete(name) !== true) continue;
    removed++;
    keysOf(session).grew(key, -(name.length + (old?.length ?? 0) + ENTRY_BYTES));
  }
  if (fields !== undefined) emptied(session, key, fields.size);
  return integer(removed);
};

const hashIncrease: Command = (session, [key = '', name = '', by]) => {
  const sum = wholeNumber(valueOf(session, key, 'hash')?.fields.get(name) ?? '0') + wholeNumber(by);
  void hset(session, [key, name, String(sum)]);
  return integer(sum);
};

const sadd: Command = (session, [key = '', ...items]) => {
  if (valueOf(session, key, 'set') === undefined) keysOf(session).set(key, { kind: 'set', members: new Set() });
  const members = valueOf(session, key, 'set')?.members ?? new Set<string>();
  checkRoom(members.size + items.length);
  const before = members.size;
  for (const item of items) {
    if (members.has(item)) continue;
    keysOf(session).grew(key, item.length + ENTRY_BYTES);
    members.add(item);
  }
  return integer(members.size - before);
};

const srem: Command = (session, [key = '', ...items]) => {
  const members = valueOf(session, key, 'set')?.members;
  let removed = 0;
  for (const item of items) {
    if (members?.delete(item) !== true) continue;
    removed++;
    keysOf(session).grew(key, -(item.length + ENTRY_BYTES));
  }
  if (members !== undefined) emptied(session, key, members.size);
  return integer(removed);
};

const fieldsOf = (session: Session, key: string): ReadonlyMap<string, string> =>
  valueOf(session, key, 'hash')?.fields ?? new Map<string, string>();
const itemsOf = (session: Session, key: string): readonly string[] => valueOf(session, key, 'list')?.items ?? [];
const membersOf = (session: Session, key: string): ReadonlySet<string> =>
  valueOf(session, key, 'set')?.members ?? new Set<string>();

export const collectionCommands: Readonly<Record<string, CommandSpec>> = {
  LPUSH: { min: 2, max: MAX_ITEMS, run: push(true) },
  RPUSH: { min: 2, max: MAX_ITEMS, run: push(false) },
  LPOP: { min: 1, max: 2, run: pop(true) },
  RPOP: { min: 1, max: 2, run: pop(false) },
  LLEN: { min: 1, max: 1, run: (session, [key = '']) => integer(itemsOf(session, key).length) },
  LINDEX: {
    min: 2,
    max: 2,
    run: (session, [key = '', index]) => bulk(itemsOf(session, key).at(wholeNumber(index))),
  },
  LRANGE: {
    min: 3,
    max: 3,
    run: (session, [key = '', from, to]) => texts(slice(itemsOf(session, key), wholeNumber(from), wholeNumber(to))),
  },
  LTRIM: {
    min: 3,
    max: 3,
    run: (session, [key = '', from, to]) => {
      const list = valueOf(session, key, 'list')?.items;
      if (list === undefined) return OK;
      const kept = slice(list, wholeNumber(from), wholeNumber(to));
      keysOf(session).grew(key, weigh(kept) - weigh(list));
      list.splice(0, list.length, ...kept);
      emptied(session, key, list.length);
      return OK;
    },
  },
  LMOVE: { min: 4, max: 4, run: move },
  RPOPLPUSH: { min: 2, max: 2, run: move },
  HSET: { min: 3, max: MAX_ITEMS, run: hset },
  HMSET: { min: 3, max: MAX_ITEMS, run: async (session, args) => (await hset(session, args), OK) },
  HGET: { min: 2, max: 2, run: (session, [key = '', name = '']) => bulk(fieldsOf(session, key).get(name)) },
  HMGET: {
    min: 2,
    max: MAX_ITEMS,
    run: (session, [key = '', ...names]) => array(names.map(name => bulk(fieldsOf(session, key).get(name)))),
  },
  HGETALL: { min: 1, max: 1, run: (session, [key = '']) => map([...fieldsOf(session, key)].flat()) },
  HKEYS: { min: 1, max: 1, run: (session, [key = '']) => texts(fieldsOf(session, key).keys()) },
  HVALS: { min: 1, max: 1, run: (session, [key = '']) => texts(fieldsOf(session, key).values()) },
  HLEN: { min: 1, max: 1, run: (session, [key = '']) => integer(fieldsOf(session, key).size) },
  HEXISTS: {
    min: 2,
    max: 2,
    run: (session, [key = '', name = '']) => integer(fieldsOf(session, key).has(name) ? 1 : 0),
  },
  HDEL: { min: 2, max: MAX_ITEMS, run: hdel },
  HINCRBY: { min: 3, max: 3, run: hashIncrease },
  SADD: { min: 2, max: MAX_ITEMS, run: sadd },
  SREM: { min: 2, max: MAX_ITEMS, run: srem },
  SMEMBERS: { min: 1, max: 1, run: (session, [key = '']) => set(membersOf(session, key)) },
  SISMEMBER: {
    min: 2,
    max: 2,
    run: (session, [key = '', member = '']) => integer(membersOf(session, key).has(member) ? 1 : 0),
  },
  SCARD: { min: 1, max: 1, run: (session, [key = '']) => integer(membersOf(session, key).size) },
};
