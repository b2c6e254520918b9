import type { ProtobufReader } from '../../../machinery/protobuf-wire.js';

/** Reads a message's fields: `field` reads one that it knows and says so, others are passed over. */
export function eachField(reader: ProtobufReader, field: (number: number) => boolean): void {
  while (!reader.done) {
    const { number, wire } = reader.tag();
    if (!field(number)) reader.skip(wire);
  }
}

/** The store's revision in a ResponseHeader. */
export function readHeader(reader: ProtobufReader): number {
  let revision = 0;
  eachField(reader, number => {
    if (number !== 3) return false;
    revision = reader.int64();
    return true;
  });
  return revision;
}
