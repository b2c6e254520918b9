import { createHash } from 'node:crypto';
import { compareKeys } from '../key-order.js';
import type { KeyValue } from '../kv-store.js';
import { BackupError, FORMAT, VERSION, type Head, type Tail } from './format.js';

export type Part = { readonly head: Head } | { readonly object: KeyValue } | { readonly tail: Tail };

const NEWLINE = 0x0a;
/** An object takes up to 3 MiB, and in base64 a third more. */
const MAX_LINE_BYTES = 16 << 20;
const MAX_HEAD_BYTES = 4096;

/**
 * Reads a backup in pieces: its head, its objects, its tail. Only with the tail is it known to be whole.
 * @throws BackupError saying what is wrong with it
 */
export async function* readBackup(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Part> {
  const hash = createHash('sha256');
  let head: Head | undefined;
  let tail: Tail | undefined;
  let last: string | undefined;
  let objects = 0;
  let number = 0;
  for await (const line of lines(chunks)) {
    number++;
    if (head === undefined) {
      head = readHead(line);
      hash.update(line);
      yield { head };
      continue;
    }
    if (tail !== undefined) throw new BackupError(`line ${number}: something follows its last line`);
    if (line.subarray(0, TAIL.length).equals(TAIL)) {
      tail = readTail(line, number);
      if (tail.objects !== objects)
        throw new BackupError(`its last line says ${tail.objects} objects, and there are ${objects}`);
      if (tail.sha256 !== hash.digest('hex'))
        throw new BackupError('its checksum is another one: it has been changed, or is damaged');
      continue;
    }
    const object = readObject(line, number, head.revision);
    if (last !== undefined && compareKeys(last, object.key) >= 0)
      throw new BackupError(`line ${number}: ${JSON.stringify(object.key)} is out of order`);
    hash.update(line);
    last = object.key;
    objects++;
    yield { object };
  }
  if (head === undefined) throw new BackupError('it is empty');
  if (tail === undefined) throw new BackupError(`it is cut off after line ${number}`);
  yield { tail };
}

/** With their ends; the last one may have none. */
async function* lines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let pending: Buffer[] = [];
  let size = 0;
  for await (const given of chunks) {
    const chunk = Buffer.from(given.buffer, given.byteOffset, given.byteLength);
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      const rest = chunk.subarray(from, end + 1);
      yield pending.length === 0 ? rest : Buffer.concat([...pending, rest]);
      [pending, size, from] = [[], 0, end + 1];
    }
    if (from === chunk.length) continue;
    pending.push(chunk.subarray(from));
    size += chunk.length - from;
    if (size > MAX_LINE_BYTES) throw new BackupError(`it has a line of more than ${MAX_LINE_BYTES} bytes`);
  }
  if (pending.length > 0) yield Buffer.concat(pending);
}

const parsed = (text: Buffer): unknown => {
  try {
    return JSON.parse(text.toString('utf8'));
  } catch (error) {
    // What is no JSON is said by who asked, with its line.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
};

const isRevision = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function readHead(line: Buffer): Head {
  const head = line.length > MAX_HEAD_BYTES ? undefined : (parsed(line) as Partial<Head> | null | undefined);
  if (head?.format !== FORMAT) throw new BackupError('it is no backup of a store');
  if (head.version !== VERSION)
    throw new BackupError(`it is of version ${String(head.version).slice(0, 20)}, only ${VERSION} is known`);
  if (!isRevision(head.revision)) throw new BackupError('its first line does not say its revision');
  return { format: FORMAT, version: VERSION, revision: head.revision, takenAt: String(head.takenAt) };
}

const TAIL = Buffer.from('{"objects":');

function readTail(line: Buffer, number: number): Tail {
  const { objects, sha256 } = (parsed(line) ?? {}) as Partial<Tail>;
  if (!isRevision(objects) || typeof sha256 !== 'string')
    throw new BackupError(`line ${number}: it does not say how many objects there are, or their checksum`);
  return { objects, sha256 };
}

const REVISIONS = /^\{"create":(\d{1,15}),"mod":(\d{1,15}),"key":"/;
/** What it takes at most. */
const REVISIONS_BYTES = 64;
const [VALUE, VALUE_END] = [Buffer.from(',"value":'), Buffer.from('}\n')];
const [BASE64, BASE64_END] = [Buffer.from(',"base64":"'), Buffer.from('"}\n')];

function readObject(line: Buffer, number: number, revision: number): KeyValue {
  const wrong = (why: string): BackupError => new BackupError(`line ${number}: ${why}`);
  const [begin = '', create, mod] = REVISIONS.exec(line.toString('latin1', 0, REVISIONS_BYTES)) ?? [];
  if (begin === '') throw wrong('it is no object');
  const [createRevision, modRevision] = [Number(create), Number(mod)];
  if (createRevision > modRevision || modRevision > revision) throw wrong('its revisions are not of this backup');
  const start = begin.length - 1;
  const end = textEnd(line, start);
  const key = end < 0 ? undefined : parsed(line.subarray(start, end));
  if (typeof key !== 'string' || key === '') throw wrong('it has no key');
  const rest = line.subarray(end);
  const between = (before: Buffer, after: Buffer): Buffer | undefined =>
    rest.subarray(0, before.length).equals(before) && rest.subarray(-after.length).equals(after)
      ? rest.subarray(before.length, -after.length)
      : undefined;
  const encoded = between(BASE64, BASE64_END);
  const value = encoded === undefined ? between(VALUE, VALUE_END) : Buffer.from(encoded.toString('latin1'), 'base64');
  if (value === undefined) throw wrong('it has no value');
  return { key, value, createRevision, modRevision };
}

const [QUOTE, BACKSLASH] = [0x22, 0x5c];

/** Behind the JSON text that begins at `start`; -1: it does not end. */
function textEnd(line: Buffer, start: number): number {
  for (let at = start + 1; at < line.length; at++) {
    if (line[at] === BACKSLASH) at++;
    else if (line[at] === QUOTE) return at + 1;
  }
  return -1;
}
