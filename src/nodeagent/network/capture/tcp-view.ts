import type { TcpSegment } from '../../../containers/network/captured-packet.js';

/** Who of a connection sends: the one who opened it, or the other. */
export type Sender = 'client' | 'server';

export interface TcpViewOptions {
  /** Clock milliseconds. */
  readonly now: () => number;
  /** In [0, 1): where sequence numbers begin. */
  readonly random: () => number;
  /** A segment passes. */
  readonly show: (sender: Sender, segment: TcpSegment, payload: Buffer) => void;
}

const NOTHING = Buffer.alloc(0);
const SPACE = 0x1_0000_0000;
/** What Linux offers in a SYN, in its answer, and later in units of 128 bytes. */
const WINDOW = { syn: 64_240, synack: 65_160, later: 502 } as const;
/** What a segment carries at most where the card cuts it up (TSO). */
const MAX_SEGMENT = 65_160;

interface Side {
  /** Of the next byte it sends. */
  next: number;
  /** It has said that it sends no more. */
  ended: boolean;
  /** The timestamp of its last segment. */
  stamp: number;
}

/**
 * How a connection of the simulated network looks on a wire, where nothing but bytes and ends passes: segments with the
 * numbers that Linux would give them, each piece of data acknowledged at once.
 */
export class TcpView {
  private readonly sides: Readonly<Record<Sender, Side>>;
  private begun = false;
  private over = false;

  constructor(private readonly options: TcpViewOptions) {
    const side = (): Side => ({ next: Math.floor(options.random() * SPACE), ended: false, stamp: 0 });
    this.sides = { client: side(), server: side() };
  }

  /** The first packet; again where nobody answers. */
  syn(): void {
    const first = !this.begun;
    this.begun = true;
    if (!first) this.sides.client.next = (this.sides.client.next + SPACE - 1) % SPACE;
    this.send('client', 'syn', NOTHING, 1);
  }

  answered(): void {
    this.send('server', 'synack', NOTHING, 1);
    this.send('client', 'ack', NOTHING, 0);
  }

  refused(): void {
    this.over = true;
    this.sides.server.next = 0;
    this.send('server', 'rst', NOTHING, 0);
  }

  data(sender: Sender, bytes: Buffer): void {
    if (this.over || bytes.length === 0) return;
    for (let at = 0; at < bytes.length; at += MAX_SEGMENT) {
      const part = bytes.subarray(at, at + MAX_SEGMENT);
      this.send(sender, 'psh', part, part.length);
    }
    this.send(sender === 'client' ? 'server' : 'client', 'ack', NOTHING, 0);
  }

  end(sender: Sender): void {
    const side = this.sides[sender];
    const other: Sender = sender === 'client' ? 'server' : 'client';
    if (this.over || side.ended) return;
    side.ended = true;
    this.send(sender, 'fin', NOTHING, 1);
    // Whoever ends second has the first end acknowledged by it.
    if (this.sides[other].ended) this.send(other, 'ack', NOTHING, 0);
  }

  reset(sender: Sender): void {
    if (this.over) return;
    this.over = true;
    this.send(sender, 'rst', NOTHING, 0);
  }

  private send(sender: Sender, flags: TcpSegment['flags'], payload: Buffer, length: number): void {
    const side = this.sides[sender];
    const other = this.sides[sender === 'client' ? 'server' : 'client'];
    const { next: seq } = side;
    side.next = (side.next + length) % SPACE;
    side.stamp = Math.floor(this.options.now()) % SPACE;
    const acks = flags !== 'syn';
    this.options.show(
      sender,
      {
        flags,
        acks,
        seq,
        ack: acks ? other.next : 0,
        window: flags === 'syn' ? WINDOW.syn : flags === 'synack' ? WINDOW.synack : flags === 'rst' ? 0 : WINDOW.later,
        stamp: side.stamp,
        echo: acks ? other.stamp : 0,
      },
      payload,
    );
  }
}
