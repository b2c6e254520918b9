import type { ProtobufReader } from '../../../machinery/protobuf-wire.js';
import type { KeyValue } from '../../kv-store.js';
import { eachField } from './header.js';

/** Bytes of their own: a part of what came over the network would keep all of it in memory. */
function copied(bytes: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}

/** mvccpb.KeyValue; of a deletion only key and modRevision are there. */
export function readKeyValue(reader: ProtobufReader): KeyValue {
  let [key, createRevision, modRevision] = ['', 0, 0];
  let value: Buffer = Buffer.alloc(0);
  eachField(reader, number => {
    if (number === 1) key = reader.string();
    else if (number === 2) createRevision = reader.int64();
    else if (number === 3) modRevision = reader.int64();
    else if (number === 5) value = copied(reader.data());
    else return false;
    return true;
  });
  return { key, value, modRevision, createRevision };
}
