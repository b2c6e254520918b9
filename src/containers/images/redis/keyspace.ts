import type { Clock } from '../../../machinery/clock.js';
import type { Account } from '../../machine/memory.js';

export type Value =
  | { readonly kind: 'string'; text: string }
  | { readonly kind: 'list'; readonly items: string[] }
  | { readonly kind: 'hash'; readonly fields: Map<string, string> }
  | { readonly kind: 'set'; readonly members: Set<string> };

export type Kind = Value['kind'];

interface Entry {
  readonly value: Value;
  /** Clock milliseconds. */
  expiresAt: number | undefined;
  bytes: number;
}

/** Keys of one database: what is done with all of them is done in one turn. */
const MAX_KEYS = 100_000;

/** There are as many keys as there may be. */
export class KeyspaceFull extends Error {
  override readonly name = 'KeyspaceFull';
}

/** What a key, and an item of a collection, weigh beside their text. */
export const ENTRY_BYTES = 96;

/** Keys of one database. All of it counts as memory of the server: a client that stores without end has it killed. */
export class Keyspace {
  #entries = new Map<string, Entry>();

  constructor(
    private readonly memory: Account,
    private readonly clock: Clock,
  ) {}

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): Value | undefined {
    return this.#live(key)?.value;
  }

  /** @throws KeyspaceFull; Killed when the container's memory is used up */
  set(key: string, value: Value, expiresAt?: number): void {
    if (this.#entries.size >= MAX_KEYS && !this.#entries.has(key)) throw new KeyspaceFull();
    const bytes = ENTRY_BYTES + key.length + sizeOf(value);
    this.memory.add(bytes);
    this.delete(key);
    this.#entries.set(key, { value, expiresAt, bytes });
  }

  /** A collection or text under `key` has become larger or smaller. @throws Killed */
  grew(key: string, bytes: number): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    entry.bytes += bytes;
    if (bytes > 0) this.memory.add(bytes);
    else this.memory.remove(-bytes);
  }

  delete(key: string): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined) return false;
    this.#entries.delete(key);
    this.memory.remove(entry.bytes);
    return entry.expiresAt === undefined || entry.expiresAt > this.clock.now();
  }

  expiry(key: string): number | undefined {
    return this.#live(key)?.expiresAt;
  }

  /** Undefined: for ever. Whether there is such a key. */
  expire(key: string, at: number | undefined): boolean {
    const entry = this.#live(key);
    if (entry === undefined) return false;
    entry.expiresAt = at;
    return true;
  }

  clear(): void {
    let bytes = 0;
    for (const entry of this.#entries.values()) bytes += entry.bytes;
    this.memory.remove(bytes);
    this.#entries = new Map();
  }

  /** Names of keys, whether their time has come or not. */
  keys(): Iterable<string> {
    return this.#entries.keys();
  }

  #live(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry?.expiresAt === undefined || entry.expiresAt > this.clock.now()) return entry;
    this.delete(key);
    return undefined;
  }
}

function sizeOf(value: Value): number {
  switch (value.kind) {
    case 'string':
      return value.text.length;
    case 'list':
      return value.items.reduce((sum, item) => sum + item.length + ENTRY_BYTES, 0);
    case 'hash':
      return [...value.fields].reduce((sum, [name, text]) => sum + name.length + text.length + ENTRY_BYTES, 0);
    case 'set':
      return [...value.members].reduce((sum, member) => sum + member.length + ENTRY_BYTES, 0);
  }
}
