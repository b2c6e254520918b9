import type { Socket } from 'node:net';
import { NetworkError } from '../../../containers/network/errors.js';
import { FRAME, type FrameType, GREETING, LinkError } from './frames.js';
import { createFrameReader } from './frame-reader.js';
import { createFrameWriter, type FrameWriter } from './frame-writer.js';
import type { LinkStream, StreamCarrier } from './link-stream.js';

/** What the two ends of a link have in common: its streams, and the frames that are the same in both directions. */
export interface Link extends StreamCarrier {
  /** By number. */
  readonly streams: ReadonlyMap<number, LinkStream>;
  readonly writer: FrameWriter;
  add(stream: LinkStream): void;
  /** Ends the link and all that it carries; a peer that is there is told why. */
  end(error: Error): void;
  readonly ended: boolean;
  /** Lets the process end when nobody uses the link. */
  rest(): void;
}

export interface LinkEnd {
  readonly socket: Socket;
  /** Frames of one direction only, and those of streams that are not open. @throws LinkError */
  onFrame(type: FrameType, stream: number, payload: Buffer): void;
  /** The peer has said who it is. */
  onGreeting?(): void;
  /** Something has come. */
  onSign?(): void;
  /**
   * A peer that asks and does not take the answers is not read any more until it does. Of two peers only one may do so, or
   * both would wait for ever.
   */
  readonly pausesWhenFlooded?: boolean;
  /** Somebody waits for it, beside its streams. */
  isAwaited?(): boolean;
  /** Called once. LinkError: the peer does not keep to the protocol. */
  onEnd(error: Error): void;
  /** Memory that windows may grow into. */
  readonly budget: { bytes: number };
}

/** Beyond the first windows, for the streams of all links of one side. */
export const WINDOW_BUDGET = 64 * 1024 * 1024;

export function createLink(options: LinkEnd): Link {
  const { socket, budget } = options;
  const streams = new Map<number, LinkStream>();
  /** Who has something to send, in turn. */
  const waiting = new Set<LinkStream>();
  let ended = false;

  const pump = (): void => {
    for (const stream of waiting) {
      if (!writer.hasRoom()) return;
      waiting.delete(stream);
      if (stream.sendFrame()) waiting.add(stream);
    }
  };
  const writer = createFrameWriter({
    socket,
    onRoom() {
      socket.resume();
      pump();
    },
  });
  const rest = (): void => void (streams.size > 0 || options.isAwaited?.() === true ? socket.ref() : socket.unref());

  const end = (error: Error): void => {
    if (ended) return;
    ended = true;
    if (error instanceof LinkError) writer.send(FRAME.bye, 0, Buffer.from(error.message.slice(0, 200)));
    writer.end();
    for (const stream of [...streams.values()]) stream.receiveReset(error.message);
    options.onEnd(error);
  };

  const take = (type: FrameType, id: number, payload: Buffer): void => {
    switch (type) {
      case FRAME.hello:
        if (payload.toString('latin1') !== GREETING) throw new LinkError('the peer speaks another version');
        return options.onGreeting?.();
      case FRAME.ping:
        return writer.send(FRAME.pong, 0);
      case FRAME.pong:
        return;
      case FRAME.bye:
        return end(new NetworkError('ECONNRESET', `the peer says: ${payload.toString('utf8')}`));
      case FRAME.data:
      case FRAME.end:
      case FRAME.close:
      case FRAME.reset:
      case FRAME.window: {
        const stream = streams.get(id);
        if (stream === undefined) return options.onFrame(type, id, payload);
        return give(stream, type, payload);
      }
      case FRAME.open:
      case FRAME.verdict:
        return options.onFrame(type, id, payload);
      default:
        return type satisfies never;
    }
  };
  const read = createFrameReader(take);
  socket.on('data', chunk => {
    options.onSign?.();
    try {
      if (!ended) read(chunk);
      if (options.pausesWhenFlooded === true && writer.isFlooded()) socket.pause();
    } catch (error) {
      if (!(error instanceof LinkError)) throw error;
      end(error);
    }
  });
  const lost = (): void => end(new NetworkError('ECONNRESET', 'the link between the nodes is lost'));
  socket.on('error', lost);
  socket.on('end', lost);
  socket.on('close', lost);
  writer.send(FRAME.hello, 0, Buffer.from(GREETING));
  rest();

  return {
    streams,
    writer,
    end,
    rest,
    get ended() {
      return ended;
    },
    add(stream) {
      streams.set(stream.id, stream);
      rest();
    },
    send: (type, id, payload) => {
      if (!ended) writer.send(type, id, payload);
    },
    queue(stream) {
      waiting.add(stream);
      pump();
    },
    reserve(bytes) {
      if (budget.bytes < bytes) return false;
      budget.bytes -= bytes;
      return true;
    },
    release: bytes => void (budget.bytes += bytes),
    forget(stream) {
      waiting.delete(stream);
      streams.delete(stream.id);
      rest();
    },
  };
}

/** @throws LinkError */
function give(stream: LinkStream, type: FrameType, payload: Buffer): void {
  if (type === FRAME.data) stream.receive(payload);
  else if (type === FRAME.end) stream.receiveEnd(false);
  else if (type === FRAME.close) stream.receiveEnd(true);
  else if (type === FRAME.reset) stream.receiveReset();
  else if (payload.length !== 4) throw new LinkError('a window is four bytes');
  else stream.receiveCredit(payload.readUInt32BE(0));
}
