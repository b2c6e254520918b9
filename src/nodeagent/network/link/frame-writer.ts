import type { Socket } from 'node:net';
import { type FrameType, frameHeader, HEADER_BYTES } from './frames.js';

/** Sends frames over a link's socket: all of one turn of the event loop in one go. */
export interface FrameWriter {
  /** The payload is not copied, unless it is small. */
  send(type: FrameType, stream: number, payload?: Buffer): void;
  /** Whether streams may go on: what waits for the peer is bounded. Whoever is told no is told by `onRoom` when they may. */
  hasRoom(): boolean;
  /** Much more waits than streams may send: answers that the peer does not take. `onRoom` tells when it has. */
  isFlooded(): boolean;
  /** Sends what has been given so far, and ends the connection. */
  end(): void;
}

export interface FrameWriterOptions {
  readonly socket: Socket;
  /** There is room again. */
  readonly onRoom: () => void;
}

/** Enough for the socket to be busy until the next turn. */
const MAX_WAITING = 512 * 1024;
/** A payload up to this size is copied behind its header: a piece more of a system call costs more than that. */
const SMALL = 4 * 1024;

export function createFrameWriter({ socket, onRoom }: FrameWriterOptions): FrameWriter {
  let frames: Buffer[] = [];
  let collected = 0;
  /** Given to the socket, and not yet taken from it. */
  let waiting = 0;
  let scheduled = false;
  let full = false;

  const hasRoom = (): boolean => {
    full ||= waiting + collected >= MAX_WAITING;
    return !full;
  };
  const flush = (): void => {
    scheduled = false;
    if (frames.length === 0 || socket.destroyed) return;
    const [pieces, bytes] = [frames, collected];
    frames = [];
    collected = 0;
    waiting += bytes;
    const taken = (): void => {
      waiting -= bytes;
      if (!full || waiting + collected >= MAX_WAITING / 2) return;
      full = false;
      onRoom();
    };
    if (bytes <= SMALL * 4) {
      socket.write(pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces, bytes), taken);
      return;
    }
    socket.cork();
    pieces.forEach((piece, i) => socket.write(piece, i === pieces.length - 1 ? taken : undefined));
    socket.uncork();
  };
  const collect = (piece: Buffer): void => {
    frames.push(piece);
    collected += piece.length;
    if (scheduled) return;
    scheduled = true;
    process.nextTick(flush);
  };

  return {
    send(type, stream, payload) {
      const length = payload?.length ?? 0;
      const together = length <= SMALL;
      const head = Buffer.allocUnsafe(HEADER_BYTES + (together ? length : 0));
      frameHeader(head, type, length, stream);
      if (together) payload?.copy(head, HEADER_BYTES);
      collect(head);
      if (payload !== undefined && !together) collect(payload);
    },
    hasRoom,
    isFlooded() {
      const flooded = waiting + collected >= 2 * MAX_WAITING;
      full ||= flooded;
      return flooded;
    },
    end() {
      flush();
      socket.destroySoon();
    },
  };
}
