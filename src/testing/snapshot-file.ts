import { createHash } from 'node:crypto';
import { isTooDeep } from '../machinery/json-depth.js';
import { ROOT } from '../storage/keys.js';
import { SnapshotError } from './errors.js';
import type { Held, StoreState } from './store-state.js';

const FORMAT = 'kubette-snapshot';
const VERSION = 1;

/** The first line; the others are an object each, `{"key":…,"value":…}`, in order of key. */
interface Head {
  readonly format: string;
  readonly version: number;
  /** When it was taken, RFC 3339. */
  readonly takenAt: string;
  readonly objects: number;
  /** Of all that is behind the first line. */
  readonly bytes: number;
  readonly sha256: string;
}

export interface SnapshotLimits {
  readonly bytes: number;
  readonly objects: number;
  /** Of one object with its key: etcd takes no more than 1.5 MiB, with its usual settings. */
  readonly objectBytes: number;
}

const LIMITS: SnapshotLimits = { bytes: 256 << 20, objects: 200_000, objectBytes: 4 << 20 };
const MAX_HEAD_BYTES = 4096;
const MAX_KEY_LENGTH = 1024;
const NEWLINE = 0x0a;

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** All objects of a cluster as a file. Values are as the store has them, to the byte. */
export function writeSnapshot(state: StoreState, takenAt: string): Buffer {
  const entries = [...state].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const body = Buffer.concat(
    entries.flatMap(([key, { value }]) => [
      Buffer.from(`{"key":${JSON.stringify(key)},"value":`),
      value,
      Buffer.from('}\n'),
    ]),
  );
  const head: Head = {
    format: FORMAT,
    version: VERSION,
    takenAt,
    objects: entries.length,
    bytes: body.length,
    sha256: digest(body),
  };
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), body]);
}

/** @throws SnapshotError saying what is wrong with it */
export function readSnapshot(file: Uint8Array, limits: SnapshotLimits = LIMITS): StoreState {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  if (bytes.length > limits.bytes) throw new SnapshotError(`${bytes.length} bytes are more than ${limits.bytes}`);
  const end = bytes.subarray(0, MAX_HEAD_BYTES).indexOf(NEWLINE);
  const head = readHead(end < 0 ? undefined : bytes.subarray(0, end));
  const body = bytes.subarray(end + 1);
  if (body.length !== head.bytes)
    throw new SnapshotError(
      `its first line says ${head.bytes} bytes, and there are ${body.length}: it is cut off, or there is more`,
    );
  if (digest(body) !== head.sha256)
    throw new SnapshotError('its checksum is another one: it has been changed, or is damaged');
  if (head.objects > limits.objects) throw new SnapshotError(`${head.objects} objects are more than ${limits.objects}`);
  const state = new Map<string, Held>();
  let last = '';
  for (let at = 0, line = 2; at < body.length; line++) {
    const next = body.indexOf(NEWLINE, at);
    if (next < 0) throw new SnapshotError(`line ${line} does not end`);
    const { key, value } = readEntry(body.subarray(at, next), line, limits);
    if (state.size > 0 && Buffer.compare(Buffer.from(last), Buffer.from(key)) >= 0)
      throw new SnapshotError(`line ${line}: ${JSON.stringify(key)} is out of order`);
    state.set(key, { value });
    last = key;
    at = next + 1;
  }
  if (state.size !== head.objects)
    throw new SnapshotError(`its first line says ${head.objects} objects, and there are ${state.size}`);
  return state;
}

function readHead(line: Buffer | undefined): Head {
  const head = line === undefined ? undefined : (parsed(line) as Partial<Head> | undefined);
  if (head?.format !== FORMAT) throw new SnapshotError('it is no snapshot of a cluster');
  if (head.version !== VERSION)
    throw new SnapshotError(`it is of version ${String(head.version).slice(0, 20)}, only ${VERSION} is known`);
  const { objects, bytes, sha256, takenAt } = head;
  if (!Number.isSafeInteger(objects) || !Number.isSafeInteger(bytes) || typeof sha256 !== 'string')
    throw new SnapshotError('its first line does not say how much there is, or its checksum');
  return { ...head, takenAt: String(takenAt) } as Head;
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

const VALUE = Buffer.from(',"value":');

function readEntry(text: Buffer, line: number, limits: SnapshotLimits): { key: string; value: Buffer } {
  const wrong = (why: string): SnapshotError => new SnapshotError(`line ${line}: ${why}`);
  const most = limits.objectBytes;
  if (text.length > most) throw wrong(`an object takes more than ${most} bytes`);
  if (isTooDeep(text)) throw wrong('it is nested too deep');
  const entry = parsed(text) as { key?: unknown; value?: unknown } | null | undefined;
  if (typeof entry !== 'object' || entry === null) throw wrong('it is no JSON object');
  const { key } = entry;
  if (typeof key !== 'string' || key.length > MAX_KEY_LENGTH) throw wrong('it has no key, or too long a one');
  const before = Buffer.from(`{"key":${JSON.stringify(key)}`);
  // Nothing but the two, as they were written: what is said twice would be read in two ways.
  const start = before.length + VALUE.length;
  const isPlain =
    text.subarray(0, before.length).equals(before) &&
    text.subarray(before.length, start).equals(VALUE) &&
    Object.keys(entry).length === 2;
  const value = text.subarray(start, text.length - 1);
  if (!isPlain || parsed(value) === undefined) throw wrong('it is not a key and a value');
  const problem = objectProblem(key, entry.value);
  if (problem !== undefined) throw wrong(`${JSON.stringify(key)} ${problem}`);
  return { key, value };
}

/** A key ends as the name of its object says. */
function objectProblem(key: string, value: unknown): string | undefined {
  if (!/^\/registry(?:\/[a-z0-9.-]+){1,2}\//.test(key) || !key.startsWith(ROOT)) return 'is no key of an object';
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'holds no object';
  const { apiVersion, kind, metadata } = value as Readonly<Record<string, unknown>>;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') return 'holds an object without apiVersion and kind';
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata))
    return 'holds an object without metadata';
  const { name, namespace, uid } = metadata as Readonly<Record<string, unknown>>;
  if (typeof name !== 'string' || name === '' || typeof uid !== 'string') return 'holds an object without name and uid';
  if (namespace !== undefined && typeof namespace !== 'string') return 'holds an object whose namespace is no text';
  const path = namespace === undefined || namespace === '' ? name : `${namespace}/${name}`;
  return key.endsWith(`/${path}`) ? undefined : `holds an object called ${JSON.stringify(path)}`;
}
