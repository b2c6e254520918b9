import { ProtobufReader, ProtobufWriter } from '../../../machinery/protobuf-wire.js';
import type { KeyValue, Op, Precondition } from '../../kv-store.js';
import { eachField, readHeader } from './header.js';
import { readRange, writeInt, writeRange, writeSpan } from './range.js';

export interface TxnRequest {
  readonly preconditions: readonly Precondition[];
  /** Keys as etcd has them. */
  readonly ops: readonly Op[];
}

export interface TxnResponse {
  readonly revision: number;
  readonly succeeded: boolean;
  /** When it did not: what the key of each precondition holds. */
  readonly found: readonly (KeyValue | undefined)[];
}

/** Compare.target: the revision of the newest change. */
const MOD = 2;

function writeOp(writer: ProtobufWriter, op: Op): void {
  const mark = writer.mark;
  if (op.type === 'put') {
    writer.dataField(2, op.value);
    writer.stringField(1, op.key);
    writer.tagged(2, mark);
  } else {
    writeSpan(writer, op);
    writer.tagged(3, mark);
  }
}

/** Writes what holds when every precondition does; else tells what is there. The writer wants everything from the end. */
export function encodeTxn({ preconditions, ops }: TxnRequest): Buffer {
  const size = ops.reduce((sum, op) => sum + (op.type === 'put' ? op.value.length : 0), 256);
  const writer = new ProtobufWriter(size + 256 * (ops.length + preconditions.length));
  for (const { key } of preconditions.toReversed()) {
    const mark = writer.mark;
    writeRange(writer, { key });
    writer.tagged(1, mark);
    writer.tagged(3, mark);
  }
  for (const op of ops.toReversed()) {
    const mark = writer.mark;
    writeOp(writer, op);
    writer.tagged(2, mark);
  }
  for (const { key, modRevision } of preconditions.toReversed()) {
    const mark = writer.mark;
    writeInt(writer, 6, modRevision);
    writer.stringField(3, key);
    writeInt(writer, 2, MOD);
    writer.tagged(1, mark);
  }
  return writer.finish();
}

function readFound(reader: ProtobufReader): KeyValue | undefined {
  let found: KeyValue | undefined;
  eachField(reader, number => {
    if (number !== 1) return false;
    found = readRange(reader.message()).kvs[0];
    return true;
  });
  return found;
}

export function decodeTxn(bytes: Buffer): TxnResponse {
  const reader = new ProtobufReader(bytes);
  let [revision, succeeded] = [0, false];
  const found: (KeyValue | undefined)[] = [];
  eachField(reader, number => {
    if (number === 1) revision = readHeader(reader.message());
    else if (number === 2) succeeded = reader.bool();
    else if (number === 3) found.push(readFound(reader.message()));
    else return false;
    return true;
  });
  return { revision, succeeded, found };
}
