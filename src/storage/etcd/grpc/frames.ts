import { GrpcError, MessageTooLongError } from './status.js';

const HEAD = 5;

/** A message as gRPC sends it: not compressed, its length before it. */
export function frame(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(HEAD + message.length);
  framed[0] = 0;
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, HEAD);
  return framed;
}

/** Takes chunks as they come and gives the messages that they make. */
export class Deframer {
  private chunks: Buffer[] = [];
  private have = 0;
  /** Of the message that is being read, with its head; 0: its head is not there yet. */
  private want = 0;

  constructor(private readonly limit: number) {}

  /** @throws GrpcError for what is compressed or too long */
  take(chunk: Buffer): Buffer[] {
    this.chunks.push(chunk);
    this.have += chunk.length;
    const messages: Buffer[] = [];
    for (;;) {
      if (this.want === 0 && this.have >= HEAD) this.want = HEAD + this.lengthOf(this.joined());
      if (this.want === 0 || this.have < this.want) return messages;
      const all = this.joined();
      messages.push(all.subarray(HEAD, this.want));
      const rest = all.subarray(this.want);
      this.chunks = rest.length === 0 ? [] : [rest];
      this.have = rest.length;
      this.want = 0;
    }
  }

  private joined(): Buffer {
    const [first = Buffer.alloc(0)] = this.chunks;
    if (this.chunks.length < 2) return first;
    const all = Buffer.concat(this.chunks, this.have);
    this.chunks = [all];
    return all;
  }

  private lengthOf(head: Buffer): number {
    if (head[0] !== 0) throw new GrpcError('Internal', 'the answer is compressed, which was not asked for');
    const length = head.readUInt32BE(1);
    if (length > this.limit) throw new MessageTooLongError(length, this.limit);
    return length;
  }
}
