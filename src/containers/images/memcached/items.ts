import type { Clock } from '../../../machinery/clock.js';
import type { Account } from '../../machine/memory.js';

export interface Item {
  readonly flags: number;
  readonly data: Buffer;
  /** Clock milliseconds; undefined: for ever. */
  readonly expiresAt: number | undefined;
  /** Changes with every change. */
  readonly unique: number;
}

export interface Items {
  get(key: string): Item | undefined;
  set(key: string, flags: number, data: Buffer, expiresAt: number | undefined): void;
  touch(key: string, expiresAt: number | undefined): boolean;
  delete(key: string): boolean;
  clear(): void;
  readonly count: number;
  readonly bytes: number;
  readonly limit: number;
  readonly evictions: number;
}

const ITEM_BYTES = 96;
const weigh = (key: string, data: Buffer): number => ITEM_BYTES + key.length + data.length;

/** What a memcached keeps: as much as `limit` bytes, of which whoever was asked for longest ago goes first. */
export function createItems(memory: Account, clock: Clock, limit: number): Items {
  // In the order of their last use.
  let items = new Map<string, Item>();
  let bytes = 0;
  let unique = 0;
  let evictions = 0;
  const drop = (key: string): boolean => {
    const item = items.get(key);
    if (item === undefined) return false;
    items.delete(key);
    const freed = weigh(key, item.data);
    bytes -= freed;
    memory.remove(freed);
    return true;
  };
  const live = (key: string): Item | undefined => {
    const item = items.get(key);
    if (item?.expiresAt === undefined || item.expiresAt > clock.now()) return item;
    drop(key);
    return undefined;
  };
  const makeRoom = (wanted: number): void => {
    for (const key of items.keys()) {
      if (bytes + wanted <= limit) return;
      drop(key);
      evictions++;
    }
  };
  const set: Items['set'] = (key, flags, data, expiresAt) => {
    drop(key);
    makeRoom(weigh(key, data));
    bytes += weigh(key, data);
    items.set(key, { flags, data, expiresAt, unique: ++unique });
    memory.add(weigh(key, data));
  };
  return {
    get(key) {
      const item = live(key);
      if (item === undefined) return undefined;
      items.delete(key);
      items.set(key, item);
      return item;
    },
    set,
    touch(key, expiresAt) {
      const item = live(key);
      if (item === undefined) return false;
      items.set(key, { ...item, expiresAt });
      return true;
    },
    delete: key => live(key) !== undefined && drop(key),
    clear() {
      memory.remove(bytes);
      bytes = 0;
      items = new Map();
    },
    get count() {
      return items.size;
    },
    get bytes() {
      return bytes;
    },
    limit,
    get evictions() {
      return evictions;
    },
  };
}
