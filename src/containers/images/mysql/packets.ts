import type { Connection } from '../connections.js';
import type { Rows, Value } from '../sql/catalog.js';

export const CAPABILITY = {
  longPassword: 0x1,
  longFlag: 0x4,
  connectWithDatabase: 0x8,
  protocol41: 0x200,
  transactions: 0x2000,
  secureConnection: 0x8000,
  pluginAuth: 0x80000,
  lengthEncodedAuth: 0x200000,
} as const;

export const SERVER_CAPABILITIES = Object.values(CAPABILITY).reduce((all, one) => all | one, 0);
const AUTOCOMMIT = 2;
const UTF8MB4 = 45;

/** What comes over the wire in one piece: its number in the exchange, and what it says. */
export interface Packet {
  readonly sequence: number;
  readonly body: Buffer;
}

/** The next packet; undefined at the end, or when it is larger than `limit`. */
export async function readPacket({ reader }: Connection, limit: number): Promise<Packet | undefined> {
  const head = await reader.bytes(4);
  if (head === undefined) return undefined;
  const length = head.readUIntLE(0, 3);
  if (length > limit) return undefined;
  const body = length === 0 ? Buffer.alloc(0) : await reader.bytes(length);
  return body === undefined ? undefined : { sequence: head[3] ?? 0, body };
}

export function packet(sequence: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(4);
  head.writeUIntLE(body.length, 0, 3);
  head[3] = sequence & 0xff;
  return Buffer.concat([head, body]);
}

const little = (value: number, bytes: number): Buffer => {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUIntLE(value, 0, bytes);
  return buffer;
};

/** A number as long as it must be. */
export const lengthEncoded = (value: number): Buffer =>
  value < 251
    ? Buffer.from([value])
    : value < 0x10000
      ? Buffer.concat([Buffer.from([0xfc]), little(value, 2)])
      : Buffer.concat([Buffer.from([0xfd]), little(value, 3)]);

const lengthEncodedText = (text: string): Buffer => {
  const bytes = Buffer.from(text, 'utf8');
  return Buffer.concat([lengthEncoded(bytes.length), bytes]);
};

const zeroEnded = (text: string): Buffer => Buffer.from(`${text.replaceAll('\0', '')}\0`, 'utf8');

export interface Greeting {
  readonly version: string;
  readonly thread: number;
  /** 20 bytes, none of them zero. */
  readonly nonce: Buffer;
  readonly plugin: string;
}

export const greetingPacket = ({ version, thread, nonce, plugin }: Greeting): Buffer =>
  packet(
    0,
    Buffer.from([10]),
    zeroEnded(version),
    little(thread, 4),
    nonce.subarray(0, 8),
    Buffer.from([0]),
    little(SERVER_CAPABILITIES & 0xffff, 2),
    Buffer.from([UTF8MB4]),
    little(AUTOCOMMIT, 2),
    little(SERVER_CAPABILITIES >>> 16, 2),
    Buffer.from([nonce.length + 1]),
    Buffer.alloc(10),
    nonce.subarray(8),
    Buffer.from([0]),
    zeroEnded(plugin),
  );

/** What a server says first. Undefined: it is none of this protocol. */
export function readGreeting(body: Buffer): Greeting | undefined {
  const versionEnd = body.indexOf(0, 1);
  if (body[0] !== 10 || versionEnd < 0 || body.length < versionEnd + 45) return undefined;
  const at = versionEnd + 1;
  const plugin = body.toString('utf8', at + 44).replace(/\0$/, '');
  return {
    version: body.toString('utf8', 1, versionEnd),
    thread: body.readUInt32LE(at),
    nonce: Buffer.concat([body.subarray(at + 4, at + 12), body.subarray(at + 31, at + 43)]),
    plugin,
  };
}

export interface Login {
  readonly user: string;
  readonly proof: Buffer;
  readonly database: string | undefined;
  readonly plugin: string;
}

export const loginPacket = (sequence: number, { user, proof, database, plugin }: Login): Buffer =>
  packet(
    sequence,
    little((SERVER_CAPABILITIES & ~(database === undefined ? CAPABILITY.connectWithDatabase : 0)) >>> 0, 4),
    little(0xffffff, 4),
    Buffer.from([UTF8MB4]),
    Buffer.alloc(23),
    zeroEnded(user),
    lengthEncoded(proof.length),
    proof,
    ...(database === undefined ? [] : [zeroEnded(database)]),
    zeroEnded(plugin),
  );

/** A client's answer to the greeting. Undefined: it is older than protocol 4.1, or damaged. */
export function readLogin(body: Buffer): Login | undefined {
  if (body.length < 33) return undefined;
  const capabilities = body.readUInt32LE(0);
  if ((capabilities & CAPABILITY.protocol41) === 0) return undefined;
  let at = 32;
  const text = (): string => {
    const end = body.indexOf(0, at);
    const found = body.toString('utf8', at, end < 0 ? body.length : end);
    at = end < 0 ? body.length : end + 1;
    return found;
  };
  const user = text();
  const length = body[at] ?? 0;
  const proof = body.subarray(at + 1, at + 1 + length);
  at += 1 + length;
  const database = (capabilities & CAPABILITY.connectWithDatabase) === 0 ? undefined : text();
  const plugin = (capabilities & CAPABILITY.pluginAuth) === 0 ? 'mysql_native_password' : text();
  return { user, proof, database: database === '' ? undefined : database, plugin };
}

export const okPacket = (sequence: number): Buffer => packet(sequence, Buffer.from([0, 0, 0, AUTOCOMMIT, 0, 0, 0]));
export const eofPacket = (sequence: number): Buffer => packet(sequence, Buffer.from([0xfe, 0, 0, AUTOCOMMIT, 0]));
export const switchPacket = (sequence: number, plugin: string, nonce: Buffer): Buffer =>
  packet(sequence, Buffer.from([0xfe]), zeroEnded(plugin), nonce, Buffer.from([0]));
/** caching_sha2_password: the proof was right. */
export const provenPacket = (sequence: number): Buffer => packet(sequence, Buffer.from([1, 3]));

export const errorPacket = (sequence: number, number: number, state: string, text: string): Buffer =>
  packet(
    sequence,
    Buffer.from([0xff]),
    little(number, 2),
    Buffer.from(`#${state.slice(0, 5).padEnd(5, '0')}${text}`, 'utf8'),
  );

const TYPES = { text: 253, integer: 8, boolean: 1 } as const;

/** Columns and rows of an answer in texts, from packet `sequence` on. */
export function resultPackets(sequence: number, { columns, rows }: Rows): Buffer {
  let next = sequence;
  return Buffer.concat([
    packet(next++, lengthEncoded(columns.length)),
    ...columns.map(({ name, type }) =>
      packet(
        next++,
        ...['def', '', '', '', name, ''].map(lengthEncodedText),
        Buffer.from([0x0c]),
        little(UTF8MB4, 2),
        little(1024, 4),
        Buffer.from([TYPES[type], 0, 0, 0, 0, 0]),
      ),
    ),
    eofPacket(next++),
    ...rows.map(row => packet(next++, ...row.map(valueOf))),
    eofPacket(next++),
  ]);
}

const valueOf = (value: Value): Buffer =>
  value === null
    ? Buffer.from([0xfb])
    : lengthEncodedText(typeof value === 'boolean' ? String(Number(value)) : String(value));

/** Texts with their lengths before them; null where there is none. Undefined: the packet is damaged. */
export function readTexts(body: Buffer): (string | null)[] | undefined {
  const texts: (string | null)[] = [];
  for (let at = 0; at < body.length;) {
    const first = body[at++] ?? 0;
    if (first === 0xfb) {
      texts.push(null);
      continue;
    }
    const bytes = first < 0xfb ? 0 : first === 0xfc ? 2 : first === 0xfd ? 3 : 8;
    if (bytes === 8 || at + bytes > body.length) return undefined;
    const length = bytes === 0 ? first : body.readUIntLE(at, bytes);
    at += bytes;
    if (at + length > body.length) return undefined;
    texts.push(body.toString('utf8', at, at + length));
    at += length;
  }
  return texts;
}
