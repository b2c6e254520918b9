import type { ProtobufAnswers, ProtobufListWriter } from '../../api/codec/protobuf.js';
import type { KubeObject } from '../../machinery/types.js';
import { isStored, type Answer } from '../pipeline/exchange.js';
import type { ListResult, StoredObject } from '../registry/types.js';
import { chunked } from './chunked.js';
import { listMetadata } from './list-text.js';
import type { Encoded } from './send.js';
import { checkTransform, partial, type EncodeOptions } from './transform.js';

/** undefined: the answer has no protobuf form. */
export function protobufChunks(
  answer: Exclude<Answer, { kind: 'raw' | 'taken' }>,
  options: EncodeOptions,
): Encoded['chunks'] | undefined {
  const { protobuf: codec, entry } = options;
  const { transform } = options.media;
  if (answer.kind === 'object' || answer.kind === 'list') checkTransform(answer.kind, transform, entry);
  if (answer.kind === 'list') {
    if (entry === undefined) return undefined;
    const metadata = listMetadata(answer.result);
    if (transform === undefined)
      return protobufList(codec.list(entry.info, metadata), answer.result, item => item, options);
    const writer = codec.listOf(`meta.k8s.io/${transform.version}`, 'PartialObjectMetadataList', metadata);
    return writer && protobufList(writer, answer.result, item => partial(item, entry, transform.version), options);
  }
  const bytes = protobufBytes(answer, options, codec);
  return bytes === undefined ? undefined : [bytes];
}

function protobufBytes(
  answer: Exclude<Answer, { kind: 'raw' | 'taken' | 'list' }>,
  { media: { transform }, entry }: EncodeOptions,
  codec: ProtobufAnswers,
): Buffer | undefined {
  switch (answer.kind) {
    case 'status':
      return codec.status(answer.status);
    case 'document':
      return codec.object(answer.document as KubeObject);
    case 'object': {
      const object = (isStored(answer.object) ? fullObject(answer.object) : answer.object) as KubeObject;
      return codec.object(transform === undefined ? object : partial(object, entry, transform.version));
    }
  }
}

/** The length of the whole stands in front: all items are made before the first byte goes out. */
async function* protobufList(
  writer: ProtobufListWriter,
  { items }: ListResult,
  shown: (object: KubeObject) => KubeObject,
  { turns, memory }: EncodeOptions,
): AsyncGenerator<Buffer> {
  const encoded: Buffer[] = [];
  for (const item of items) {
    if (turns.isOver()) await turns.next();
    encoded.push(writer.item(shown(item.object as KubeObject)));
  }
  yield* chunked(writer.join(encoded), memory);
}

/** A stored object may lack kind and apiVersion in memory; its encoding has them. */
const fullObject = (stored: StoredObject): unknown => JSON.parse(stored.encode().toString('utf8'));
