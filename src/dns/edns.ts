import { MessageError } from './message-error.js';

/** An OPT record (RFC 6891). */
export interface Edns {
  /** What the sender takes in a datagram. */
  readonly udpSize: number;
  readonly version: number;
  /** DO and the reserved bits after it. */
  readonly flags: number;
  /** As sent. */
  readonly options: Buffer;
  /** Those an answer repeats. */
  readonly repeated: Buffer;
}

export const DNSSEC_OK = 0x8000;
export const OPT_LENGTH = 11;

const OPTION = {
  UPDATE_LEASE: 2,
  LLQ: 1,
  NSID: 3,
  SUBNET: 8,
  EXPIRE: 9,
  COOKIE: 10,
  KEEPALIVE: 11,
  PADDING: 12,
  EDE: 15,
};
const REPEATED: ReadonlySet<number> = new Set([
  OPTION.NSID,
  OPTION.EXPIRE,
  OPTION.COOKIE,
  OPTION.KEEPALIVE,
  OPTION.PADDING,
]);
const NOTHING = Buffer.alloc(0);

/** Of the record whose data is between `data` and `end`. @throws MessageError */
export function readEdns(message: Buffer, data: number, end: number): Edns {
  const repeated: Buffer[] = [];
  for (let at = data; at < end;) {
    if (at + 4 > end) throw new MessageError('an EDNS option ends too early');
    const code = message.readUInt16BE(at);
    const next = at + 4 + message.readUInt16BE(at + 2);
    if (next > end || !isOption(code, message.subarray(at + 4, next)))
      throw new MessageError(`bad EDNS option ${code}`);
    if (REPEATED.has(code)) repeated.push(message.subarray(at, next));
    at = next;
  }
  return {
    udpSize: message.readUInt16BE(data - 8),
    version: message.readUInt8(data - 5),
    flags: message.readUInt16BE(data - 4),
    options: data === end ? NOTHING : Buffer.from(message.subarray(data, end)),
    repeated: repeated.length === 0 ? NOTHING : Buffer.concat(repeated),
  };
}

/** The lengths miekg/dns insists on. */
function isOption(code: number, data: Buffer): boolean {
  switch (code) {
    case OPTION.LLQ:
      return data.length >= 18;
    case OPTION.UPDATE_LEASE:
      return data.length === 4 || data.length === 8;
    case OPTION.EXPIRE:
      return data.length === 0 || data.length >= 4;
    case OPTION.KEEPALIVE:
      return data.length === 0 || data.length === 2;
    case OPTION.EDE:
      return data.length >= 2;
    case OPTION.SUBNET:
      return isSubnet(data);
    default:
      return true;
  }
}

function isSubnet(data: Buffer): boolean {
  if (data.length < 4) return false;
  const [source, scope] = [data.readUInt8(2), data.readUInt8(3)];
  switch (data.readUInt16BE(0)) {
    case 0:
      return source === 0;
    case 1:
      return source <= 32 && scope <= 32;
    case 2:
      return source <= 128 && scope <= 128;
    default:
      return false;
  }
}
