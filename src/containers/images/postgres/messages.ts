import type { Outcome, Rows, Value } from '../sql/catalog.js';

const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const int16 = (value: number): Buffer => {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
};
const cstring = (text: string): Buffer => Buffer.from(`${text.replaceAll('\0', '')}\0`, 'utf8');

/** A message of protocol 3: its letter, its length, what it says. */
export function message(letter: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from(letter, 'latin1'), int32(body.length + 4), body]);
}

/** The first message of a client, which has no letter. */
export function startup(settings: Readonly<Record<string, string>>): Buffer {
  const words = Object.entries(settings).flatMap(([name, value]) => [cstring(name), cstring(value)]);
  const body = Buffer.concat([int32(PROTOCOL_3), ...words, Buffer.from([0])]);
  return Buffer.concat([int32(body.length + 4), body]);
}

export const PROTOCOL_3 = 196_608;
export const SSL_REQUEST = 80_877_103;
export const GSS_REQUEST = 80_877_104;
export const CANCEL_REQUEST = 80_877_102;

/** R: 0 lets in, 3 asks for the password in plain text. */
export const authentication = (kind: 0 | 3): Buffer => message('R', int32(kind));
export const parameterStatus = (name: string, value: string): Buffer => message('S', cstring(name), cstring(value));
export const backendKey = (pid: number, key: number): Buffer => message('K', int32(pid), int32(key));
export const negotiateVersion = (): Buffer => message('v', int32(0), int32(0));
export const readyForQuery = (state: 'I' | 'T' | 'E'): Buffer => message('Z', Buffer.from(state));
export const commandComplete = ({ tag }: Outcome): Buffer => message('C', cstring(tag));
export const passwordMessage = (password: string): Buffer => message('p', cstring(password));
export const query = (text: string): Buffer => message('Q', cstring(text));

export const errorResponse = (severity: 'ERROR' | 'FATAL', code: string, text: string): Buffer =>
  message('E', ...[`S${severity}`, `V${severity}`, `C${code}`, `M${text}`].map(cstring), Buffer.from([0]));

/** Type OID and size in bytes. */
const TYPES = { text: [25, -1], integer: [23, 4], boolean: [16, 1] } as const;

export const rowDescription = ({ columns }: Rows): Buffer =>
  message(
    'T',
    int16(columns.length),
    ...columns.map(({ name, type }) =>
      Buffer.concat([
        cstring(name),
        int32(0),
        int16(0),
        int32(TYPES[type][0]),
        int16(TYPES[type][1]),
        int32(-1),
        int16(0),
      ]),
    ),
  );

export const dataRow = (values: readonly Value[]): Buffer =>
  message(
    'D',
    int16(values.length),
    ...values.map(value => {
      if (value === null) return int32(-1);
      const text = Buffer.from(typeof value === 'boolean' ? (value ? 't' : 'f') : String(value), 'utf8');
      return Buffer.concat([int32(text.length), text]);
    }),
  );

/** Texts that end with a zero, from `at` on; undefined when one does not end. */
export function cstringsOf(body: Buffer, at: number, count: number): { texts: string[]; end: number } | undefined {
  const texts: string[] = [];
  for (let i = 0; i < count; i++) {
    const end = body.indexOf(0, at);
    if (end < 0) return undefined;
    texts.push(body.toString('utf8', at, end));
    at = end + 1;
  }
  return { texts, end: at };
}

/** Fields of an error by letter. */
export function errorFields(body: Buffer): Readonly<Record<string, string>> {
  const fields: Record<string, string> = {};
  for (let at = 0; at < body.length && body[at] !== 0;) {
    const field = cstringsOf(body, at + 1, 1);
    if (field === undefined) break;
    fields[String.fromCharCode(body[at] ?? 0)] = field.texts[0] ?? '';
    at = field.end;
  }
  return fields;
}
