import { ProtobufReader, ProtobufWriter } from '../../../machinery/protobuf-wire.js';
import type { KeyValue } from '../../kv-store.js';
import { eachField, readHeader } from './header.js';
import { readKeyValue } from './key-value.js';
import { writeInt, writeSpan, type Span } from './range.js';

export interface WatchCreate extends Span {
  readonly id: number;
  /** The first revision that is told. */
  readonly start: number;
}

export interface WatchMessage {
  readonly id: number;
  readonly revision: number;
  readonly created: boolean;
  readonly canceled: boolean;
  /** Everything before it is gone; 0: that is not why it was canceled. */
  readonly compactRevision: number;
  readonly reason: string;
  /** More events of this revision follow in the next message. */
  readonly fragment: boolean;
  readonly events: readonly StoredEvent[];
}

export interface StoredEvent {
  readonly type: 'put' | 'delete';
  readonly kv: KeyValue;
  readonly previous: KeyValue | undefined;
}

/** With previous values, cut up where it is too long for a message. */
export function encodeWatchCreate({ id, start, ...span }: WatchCreate): Buffer {
  const writer = new ProtobufWriter(128);
  writeInt(writer, 8, 1);
  writeInt(writer, 7, id);
  writeInt(writer, 6, 1);
  writeInt(writer, 3, start);
  writeSpan(writer, span);
  writer.tagged(1, 0);
  return writer.finish();
}

/** Asks how far the watches of a stream are. */
export function encodeProgressRequest(): Buffer {
  const writer = new ProtobufWriter(8);
  writer.tagged(3, 0);
  return writer.finish();
}

function readEvent(reader: ProtobufReader): StoredEvent {
  let type: StoredEvent['type'] = 'put';
  let kv: KeyValue = { key: '', value: Buffer.alloc(0), modRevision: 0, createRevision: 0 };
  let previous: KeyValue | undefined;
  eachField(reader, number => {
    if (number === 1) type = reader.int32() === 1 ? 'delete' : 'put';
    else if (number === 2) kv = readKeyValue(reader.message());
    else if (number === 3) previous = readKeyValue(reader.message());
    else return false;
    return true;
  });
  return { type, kv, previous };
}

export function decodeWatch(bytes: Buffer): WatchMessage {
  const reader = new ProtobufReader(bytes);
  let [id, revision, compactRevision, reason] = [0, 0, 0, ''];
  let [created, canceled, fragment] = [false, false, false];
  const events: StoredEvent[] = [];
  eachField(reader, number => {
    if (number === 1) revision = readHeader(reader.message());
    else if (number === 2) id = reader.int64();
    else if (number === 3) created = reader.bool();
    else if (number === 4) canceled = reader.bool();
    else if (number === 5) compactRevision = reader.int64();
    else if (number === 6) reason = reader.string();
    else if (number === 7) fragment = reader.bool();
    else if (number === 11) events.push(readEvent(reader.message()));
    else return false;
    return true;
  });
  return { id, revision, created, canceled, compactRevision, reason, fragment, events };
}
