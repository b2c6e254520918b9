import type { Process, Program } from '../../process.js';
import { serveConnections, type Connection } from '../connections.js';
import { LineTooLong } from '../stream-reader.js';
import { createItems, type Items } from './items.js';

export const MEMCACHED_VERSION = '1.6.39';
const MAX_LINE = 2048;
const MAX_KEY = 250;
const MAX_KEYS = 100;
const THIRTY_DAYS = 30 * 24 * 60 * 60;

const RETRIEVALS = new Set(['get', 'gets', 'gat', 'gats']);
const STORAGE = new Set(['set', 'add', 'replace', 'append', 'prepend', 'cas']);
const BAD_FORMAT = 'CLIENT_ERROR bad command line format\r\n';

interface Server {
  readonly process: Process;
  readonly items: Items;
  readonly maxItem: number;
  readonly startedAt: number;
  readonly counts: { open: number; total: number; gets: number; hits: number; sets: number };
}

const isKey = (text: string): boolean => text.length > 0 && text.length <= MAX_KEY;
const isNumber = (text: string | undefined): text is string => text !== undefined && /^-?\d{1,15}$/.test(text);

/** Seconds as of the protocol: from now up to thirty days, since 1970 beyond, 0 for ever. */
function expiryOf(seconds: number, now: number): number | undefined {
  if (seconds === 0) return undefined;
  return seconds < 0 ? 0 : seconds <= THIRTY_DAYS ? now + seconds * 1000 : seconds * 1000;
}

function retrieve({ items, counts, process }: Server, name: string, words: readonly string[]): Buffer | string {
  const touches = name.startsWith('gat');
  const keys = touches ? words.slice(1) : words;
  if (keys.length === 0 || keys.length > MAX_KEYS || !keys.every(isKey) || (touches && !isNumber(words[0])))
    return keys.length === 0 ? 'ERROR\r\n' : BAD_FORMAT;
  const parts: Buffer[] = [];
  for (const key of keys) {
    counts.gets++;
    const item = items.get(key);
    if (item === undefined) continue;
    counts.hits++;
    if (touches) items.touch(key, expiryOf(Number(words[0]), process.container.clock.now()));
    const unique = name.endsWith('s') ? ` ${item.unique}` : '';
    parts.push(
      Buffer.from(`VALUE ${key} ${item.flags} ${item.data.length}${unique}\r\n`),
      item.data,
      Buffer.from('\r\n'),
    );
  }
  return Buffer.concat([...parts, Buffer.from('END\r\n')]);
}

/** Undefined: the connection has ended. */
async function store(
  server: Server,
  { reader }: Connection,
  name: string,
  words: readonly string[],
): Promise<string | undefined> {
  const [key = '', flags, seconds, length, ...rest] = words;
  const unique = name === 'cas' ? rest.shift() : undefined;
  if (!isKey(key) || !isNumber(flags) || !isNumber(seconds) || !isNumber(length) || Number(length) < 0)
    return BAD_FORMAT;
  if (name === 'cas' && !isNumber(unique)) return BAD_FORMAT;
  const size = Number(length);
  if (size > server.maxItem) {
    // What follows is read and forgotten, as long as it is not absurd.
    for (let left = size + 2; left > 0; left -= Math.min(left, server.maxItem))
      if ((await reader.bytes(Math.min(left, server.maxItem))) === undefined) return undefined;
    return 'SERVER_ERROR object too large for cache\r\n';
  }
  const data = await reader.bytes(size + 2);
  if (data === undefined) return undefined;
  if (data.toString('latin1', size) !== '\r\n') return 'CLIENT_ERROR bad data chunk\r\n';
  server.counts.sets++;
  const expiresAt = expiryOf(Number(seconds), server.process.container.clock.now());
  const item = { flags: Number(flags), data: Buffer.from(data.subarray(0, size)), expiresAt };
  return `${put(server.items, name, key, { ...item, expected: unique })}\r\n`;
}

interface Given {
  readonly flags: number;
  readonly data: Buffer;
  readonly expiresAt: number | undefined;
  readonly expected: string | undefined;
}

function put(items: Items, name: string, key: string, { flags, data, expiresAt, expected }: Given): string {
  const old = items.get(key);
  if (name === 'cas' && old === undefined) return 'NOT_FOUND';
  if (name === 'cas' && String(old?.unique) !== expected) return 'EXISTS';
  if (name === 'add' ? old !== undefined : name !== 'set' && old === undefined) return 'NOT_STORED';
  if (old === undefined || (name !== 'append' && name !== 'prepend')) items.set(key, flags, data, expiresAt);
  else items.set(key, old.flags, Buffer.concat(name === 'append' ? [old.data, data] : [data, old.data]), old.expiresAt);
  return 'STORED';
}

function change({ items }: Server, name: string, [key = '', by]: readonly string[]): string {
  if (!isKey(key) || !isNumber(by))
    return isKey(key) ? 'CLIENT_ERROR invalid numeric delta argument' : BAD_FORMAT.trim();
  const old = items.get(key);
  if (old === undefined) return 'NOT_FOUND';
  const text = old.data.toString('latin1').trimEnd();
  if (!/^\d{1,20}$/.test(text)) return 'CLIENT_ERROR cannot increment or decrement non-numeric value';
  const next = name === 'incr' ? BigInt.asUintN(64, BigInt(text) + BigInt(by)) : BigInt(text) - BigInt(by);
  const value = String(next < 0n ? 0n : next);
  items.set(key, old.flags, Buffer.from(value), old.expiresAt);
  return value;
}

function statistics({ process, items, counts, startedAt }: Server): string {
  const now = process.container.clock.now();
  const facts: Readonly<Record<string, string | number>> = {
    pid: process.pid,
    uptime: Math.floor((now - startedAt) / 1000),
    time: Math.floor(now / 1000),
    version: MEMCACHED_VERSION,
    curr_connections: counts.open,
    total_connections: counts.total,
    cmd_get: counts.gets,
    cmd_set: counts.sets,
    get_hits: counts.hits,
    get_misses: counts.gets - counts.hits,
    bytes: items.bytes,
    curr_items: items.count,
    evictions: items.evictions,
    limit_maxbytes: items.limit,
  };
  return `${Object.entries(facts)
    .map(([name, value]) => `STAT ${name} ${value}\r\n`)
    .join('')}END\r\n`;
}

/** Undefined: the connection ends. */
async function answer(server: Server, connection: Connection, line: string): Promise<string | Buffer | undefined> {
  const words = line.split(' ').filter(word => word !== '');
  const name = words.shift() ?? '';
  const quiet = words.at(-1) === 'noreply';
  if (quiet) words.pop();
  const said = (text: string): string => (quiet ? '' : text);
  if (RETRIEVALS.has(name)) return retrieve(server, name, words);
  if (STORAGE.has(name)) {
    const result = await store(server, connection, name, words);
    return result === undefined ? undefined : said(result);
  }
  const { items, process } = server;
  const [key = ''] = words;
  switch (name) {
    case 'delete':
      return said(items.delete(key) ? 'DELETED\r\n' : 'NOT_FOUND\r\n');
    case 'incr':
    case 'decr':
      return said(`${change(server, name, words)}\r\n`);
    case 'touch': {
      if (!isNumber(words[1])) return BAD_FORMAT;
      return said(
        items.touch(key, expiryOf(Number(words[1]), process.container.clock.now())) ? 'TOUCHED\r\n' : 'NOT_FOUND\r\n',
      );
    }
    case 'flush_all':
      items.clear();
      return said('OK\r\n');
    case 'version':
      return `VERSION ${MEMCACHED_VERSION}\r\n`;
    case 'verbosity':
      return said('OK\r\n');
    case 'stats':
      return key === '' ? statistics(server) : 'END\r\n';
    case 'quit':
      return undefined;
    default:
      return 'ERROR\r\n';
  }
}

async function converse(server: Server, connection: Connection): Promise<void> {
  const { counts, process } = server;
  counts.open++;
  counts.total++;
  try {
    for (;;) {
      const line = await connection.reader.line(MAX_LINE);
      if (line === undefined) return;
      await process.turn();
      const reply = await answer(server, connection, line.toString('latin1'));
      if (reply === undefined) return;
      if (reply.length > 0) await connection.write(reply);
    }
  } catch (error) {
    if (!(error instanceof LineTooLong)) throw error;
    await connection.write('CLIENT_ERROR line too long\r\n');
  } finally {
    counts.open--;
  }
}

/** "1m", "512k", "4096" in bytes. */
const sizeOf = (text: string): number => {
  const [, count = '0', unit = ''] = /^(\d{1,9})([kmgKMG]?)$/.exec(text) ?? [];
  return Number(count) * ({ k: 1 << 10, m: 1 << 20, g: 1 << 30 }[unit.toLowerCase()] ?? 1);
};

/** memcached [-p PORT] [-m MEGABYTES] [-I ITEM SIZE]: the text protocol. */
export const memcached: Program = async process => {
  const { args, memory, container } = process;
  const valueOf = (...names: readonly string[]): string | undefined => {
    const at = args.findIndex(arg =>
      names.some(name => arg === name || (name.startsWith('--') && arg.startsWith(`${name}=`))),
    );
    return at < 0 ? undefined : (args[at]?.split('=', 2)[1] ?? args[at + 1]);
  };
  if (args.includes('-V') || args.includes('--version')) {
    await process.stdout.write(`memcached ${MEMCACHED_VERSION}\n`);
    return 0;
  }
  const port = Number(valueOf('-p', '--port') ?? '11211');
  const megabytes = Number(valueOf('-m', '--memory-limit') ?? '64');
  const server: Server = {
    process,
    items: createItems(memory, container.clock, megabytes * 1024 * 1024),
    maxItem: Math.min(sizeOf(valueOf('-I', '--max-item-size') ?? '1m'), 16 << 20),
    startedAt: container.clock.now(),
    counts: { open: 0, total: 0, gets: 0, hits: 0, sets: 0 },
  };
  return serveConnections(process, [{ port, talk: connection => converse(server, connection) }]);
};
