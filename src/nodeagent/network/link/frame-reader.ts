import { FRAME, HEADER_BYTES, type FrameType, isOfLink, LIMITS, LinkError } from './frames.js';

/** Takes what a link's socket gives, in whatever pieces. @throws LinkError for what is no frame */
export type FrameReader = (chunk: Buffer) => void;

/** A whole frame; of DATA as much as has come. The payload belongs to whoever is given it. */
export type OnFrame = (type: FrameType, stream: number, payload: Buffer) => void;

const EMPTY = Buffer.alloc(0);
const TYPES: ReadonlySet<number> = new Set(Object.values(FRAME));
const isType = (type: number): type is FrameType => TYPES.has(type);

/** Bytes kept for later must not keep a much larger piece of memory that they are a part of. */
function owned(part: Buffer): Buffer {
  if (part.length * 2 >= part.buffer.byteLength) return part;
  const copy = Buffer.allocUnsafeSlow(part.length);
  part.copy(copy);
  return copy;
}

/**
 * Cuts a byte stream into frames. A header is judged before anything of its payload is kept; the bytes of DATA are handed on
 * as they come, so that a frame is never put together.
 */
export function createFrameReader(onFrame: OnFrame): FrameReader {
  const header = Buffer.alloc(HEADER_BYTES);
  let headerBytes = 0;
  let type: FrameType = FRAME.hello;
  let stream = 0;
  let missing = 0;
  /** Pieces of a frame that is taken as a whole. */
  let parts: Buffer[] = [];
  let greeted = false;

  const begin = (bytes: Buffer, at: number): void => {
    const number = bytes.readUInt8(at);
    const length = bytes.readUIntBE(at + 1, 3);
    const limit = LIMITS[number];
    if (!greeted && number !== FRAME.hello) throw new LinkError('not a pod network peer');
    if (!isType(number) || limit === undefined) throw new LinkError(`there are no frames of type ${number}`);
    if (length > limit) throw new LinkError(`a frame of type ${number} has ${length} bytes, more than ${limit}`);
    greeted = true;
    type = number;
    stream = bytes.readUInt32BE(at + 4);
    if ((stream === 0) !== isOfLink(type)) throw new LinkError(`a frame of type ${number} is of stream ${stream}`);
    missing = length;
    if (missing === 0) onFrame(type, stream, EMPTY);
  };

  const take = (part: Buffer): void => {
    missing -= part.length;
    if (type === FRAME.data) return onFrame(type, stream, owned(part));
    if (missing > 0 || parts.length > 0) parts.push(owned(part));
    if (missing > 0) return;
    const whole = parts.length === 0 ? part : Buffer.concat(parts);
    parts = [];
    onFrame(type, stream, whole);
  };

  return chunk => {
    let at = 0;
    while (at < chunk.length) {
      if (missing > 0) {
        const end = Math.min(chunk.length, at + missing);
        take(chunk.subarray(at, end));
        at = end;
      } else if (headerBytes === 0 && chunk.length - at >= HEADER_BYTES) {
        begin(chunk, at);
        at += HEADER_BYTES;
      } else {
        const end = Math.min(chunk.length, at + HEADER_BYTES - headerBytes);
        headerBytes += chunk.copy(header, headerBytes, at, end);
        at = end;
        if (headerBytes < HEADER_BYTES) continue;
        headerBytes = 0;
        begin(header, 0);
      }
    }
  };
}
