import type { Account } from '../../machine/memory.js';
import type { StreamReader } from '../stream-reader.js';

/** What a server answers. Texts are bytes, one per character. RESP2 has no maps, sets and pushes: they are arrays there. */
export type Reply =
  | { readonly kind: 'simple' | 'error' | 'bulk'; readonly text: string }
  | { readonly kind: 'integer'; readonly value: number }
  | { readonly kind: 'nil' }
  | { readonly kind: 'none' }
  | { readonly kind: 'nil-array' }
  | { readonly kind: 'array' | 'map' | 'set' | 'push'; readonly items: readonly Reply[] };

/** RESP's version, which a client chooses with HELLO. */
export type Version = 2 | 3;

/** Bytes on the wire that are not the protocol's; the connection ends. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}

/** One argument, and all of a command. */
const MAX_BULK = 4 * 1024 * 1024;
const MAX_COMMAND = 16 * 1024 * 1024;
const MAX_ARGUMENTS = 64 * 1024;
const MAX_LINE = 64 * 1024;
/** What a part of an answer weighs beside its text. */
const ITEM_BYTES = 32;
/** How deep arrays of an answer lie in each other. */
const MAX_DEPTH = 8;

const lengthOf = (text: string): number => (/^-?\d{1,9}$/.test(text) ? Number(text) : NaN);

/** The next command, inline or as an array of bulk strings; undefined at the end. @throws ProtocolError */
export async function readCommand(reader: StreamReader): Promise<string[] | undefined> {
  const line = (await reader.line(MAX_LINE))?.toString('latin1');
  if (line === undefined) return undefined;
  if (!line.startsWith('*')) return splitWords(line) ?? fail('unbalanced quotes in request');
  const count = lengthOf(line.slice(1));
  if (!(count <= MAX_ARGUMENTS)) throw new ProtocolError('invalid multibulk length');
  const words: string[] = [];
  let size = 0;
  for (let i = 0; i < count; i++) {
    const head = (await reader.line(MAX_LINE))?.toString('latin1');
    if (head === undefined) return undefined;
    if (!head.startsWith('$')) throw new ProtocolError(`expected '$', got '${head.slice(0, 1)}'`);
    const length = lengthOf(head.slice(1));
    size += length;
    if (!(length >= 0 && length <= MAX_BULK && size <= MAX_COMMAND)) throw new ProtocolError('invalid bulk length');
    const data = await reader.bytes(length + 2);
    if (data === undefined) return undefined;
    words.push(data.toString('latin1', 0, length));
  }
  return words;
}

const fail = (text: string): never => {
  throw new ProtocolError(text);
};

/** Words of a line, "quoted \n" or 'quoted'; undefined when a quote is not closed. */
export function splitWords(line: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  for (let i = 0; i < line.length; i++) {
    const c = line[i] ?? '';
    if (c === '"' || c === "'") {
      const start = ++i;
      let text = '';
      for (; i < line.length && line[i] !== c; i++) {
        if (line[i] !== '\\' || i + 1 >= line.length) text += line[i] ?? '';
        else if (c === '"') text += ESCAPES[line[++i] ?? ''] ?? line[i] ?? '';
        else text += line[i + 1] === "'" ? (line[++i] ?? '') : '\\';
      }
      if (i >= line.length && start <= line.length) return undefined;
      word = (word ?? '') + text;
    } else if (c === ' ' || c === '\t' || c === '\r') {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + c;
  }
  if (word !== undefined) words.push(word);
  return words;
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', a: '\x07' };

/** A client's side of the same: an answer, which counts as memory; undefined at the end. @throws ProtocolError, Killed */
export async function readReply(reader: StreamReader, held: Account, depth = 0): Promise<Reply | undefined> {
  const line = (await reader.line(MAX_LINE))?.toString('latin1');
  if (line === undefined) return undefined;
  held.add(line.length + ITEM_BYTES);
  const text = line.slice(1);
  switch (line[0]) {
    case '+':
      return { kind: 'simple', text };
    case '-':
      return { kind: 'error', text };
    case ':':
      return { kind: 'integer', value: Number(text) };
    case '$': {
      const length = lengthOf(text);
      if (length < 0) return { kind: 'nil' };
      if (!(length <= MAX_COMMAND)) throw new ProtocolError('invalid bulk length');
      held.add(length);
      const data = await reader.bytes(length + 2);
      return data === undefined ? undefined : { kind: 'bulk', text: data.toString('latin1', 0, length) };
    }
    case '*': {
      const count = lengthOf(text);
      if (count < 0) return { kind: 'nil-array' };
      if (!(count <= MAX_ARGUMENTS * 2) || depth >= MAX_DEPTH) throw new ProtocolError('invalid multibulk length');
      const items: Reply[] = [];
      for (let i = 0; i < count; i++) {
        const item = await readReply(reader, held, depth + 1);
        if (item === undefined) return undefined;
        items.push(item);
      }
      return { kind: 'array', items };
    }
    default:
      throw new ProtocolError(`got '${line.slice(0, 1)}' as reply type byte`);
  }
}

/** About how many bytes it is, before any are made. */
export const weighReply = (reply: Reply): number =>
  'items' in reply
    ? reply.items.reduce((sum, item) => sum + weighReply(item), ITEM_BYTES)
    : ITEM_BYTES + ('text' in reply ? reply.text.length : 0);

export function encodeReply(reply: Reply, version: Version = 2): string {
  switch (reply.kind) {
    case 'simple':
      return `+${reply.text}\r\n`;
    case 'error':
      return `-${reply.text}\r\n`;
    case 'integer':
      return `:${reply.value}\r\n`;
    case 'bulk':
      return `$${reply.text.length}\r\n${reply.text}\r\n`;
    case 'none':
      return '';
    case 'nil':
      return version === 3 ? '_\r\n' : '$-1\r\n';
    case 'nil-array':
      return version === 3 ? '_\r\n' : '*-1\r\n';
    case 'array':
    case 'map':
    case 'set':
    case 'push': {
      const { kind, items } = reply;
      const sign = version === 3 ? SIGNS[kind] : '*';
      // The items of a map are names and values in turn, of which RESP3 counts the pairs.
      const count = sign === '%' ? items.length / 2 : items.length;
      return `${sign}${count}\r\n${items.map(item => encodeReply(item, version)).join('')}`;
    }
  }
}

const SIGNS = { array: '*', map: '%', set: '~', push: '>' } as const;

export const encodeCommand = (words: readonly string[]): string =>
  `*${words.length}\r\n${words.map(word => `$${word.length}\r\n${word}\r\n`).join('')}`;

export const simple = (text: string): Reply => ({ kind: 'simple', text });
export const error = (text: string): Reply => ({ kind: 'error', text });
export const integer = (value: number): Reply => ({ kind: 'integer', value });
export const bulk = (text: string | undefined): Reply => (text === undefined ? NIL : { kind: 'bulk', text });
export const array = (items: readonly Reply[]): Reply => ({ kind: 'array', items });
export const texts = (items: Iterable<string>): Reply => array(Array.from(items, bulk));
/** Names and values in turn. */
export const map = (items: Iterable<string>): Reply => ({ kind: 'map', items: Array.from(items, bulk) });
export const set = (items: Iterable<string>): Reply => ({ kind: 'set', items: Array.from(items, bulk) });
export const push = (items: readonly Reply[]): Reply => ({ kind: 'push', items });
export const OK = simple('OK');
export const NIL: Reply = { kind: 'nil' };
