import type { Status } from '../../machinery/status.js';
import type { KubeObject } from '../../machinery/types.js';
import { JSON_TYPE, PROTOBUF_TYPE, YAML_TYPE } from '../negotiation/media-types.js';
import { isStored, type Answer } from '../pipeline/exchange.js';
import type { StoredObject } from '../registry/types.js';
import { chunked } from './chunked.js';
import { listChunks, listText, parsedItems, prettyPieces, yamlPieces, type ListText } from './list-text.js';
import { protobufChunks } from './protobuf.js';
import type { Encoded } from './send.js';
import { transformed, type EncodeOptions } from './transform.js';
import { yamlParts } from './yaml.js';

/** YAML takes its time to write. */
const YAML_CHUNK = 16 * 1024;

const NEWLINE = Buffer.from('\n');

const objectPieces = (object: StoredObject | KubeObject): Buffer[] =>
  isStored(object) ? [object.encode(), NEWLINE] : [Buffer.from(`${JSON.stringify(object)}\n`)];

/** The JSON form: whole, or a list as its items come. */
function jsonForm(answer: Exclude<Answer, { kind: 'raw' | 'taken' }>, options: EncodeOptions): Buffer[] | ListText {
  switch (answer.kind) {
    case 'status':
      return [Buffer.from(`${JSON.stringify(answer.status)}\n`)];
    case 'document':
      return [Buffer.from(`${JSON.stringify(answer.document)}\n`)];
    case 'object':
    case 'list':
      if (options.media.transform !== undefined) return transformed(answer, options.media.transform, options);
      if (answer.kind === 'object') return objectPieces(answer.object);
      if (options.entry === undefined) throw new Error('a list without its resource');
      return listText(options.entry, answer.result);
  }
}

const concat = (pieces: readonly Buffer[]): string => Buffer.concat(pieces).toString('utf8');

/** A chunk without bytes: others have their turn, since what was done before took long. */
const REST = Buffer.alloc(0);

/** `end`: Go writes objects of structs with a line end and those of maps without. */
function* prettyChunks(form: readonly Buffer[], end: string): Generator<Buffer> {
  const value: unknown = JSON.parse(concat(form));
  yield REST;
  const text = `${JSON.stringify(value, undefined, 2)}${end}`;
  yield REST;
  yield Buffer.from(text);
}

function* yamlChunks(form: readonly Buffer[]): Generator<Buffer> {
  const value: unknown = JSON.parse(concat(form));
  yield REST;
  let text = '';
  for (const part of yamlParts(value)) {
    text += part;
    if (text.length < YAML_CHUNK) continue;
    yield Buffer.from(text);
    text = '';
  }
  if (text !== '') yield Buffer.from(text);
}

/**
 * An answer in the form that was negotiated.
 * @throws StatusError 406 for a transform that the answer does not allow
 */
export function encodeAnswer(answer: Exclude<Answer, { kind: 'raw' | 'taken' }>, options: EncodeOptions): Encoded {
  const { encoding } = options.media;
  if (encoding === PROTOBUF_TYPE) {
    const chunks = protobufChunks(answer, options);
    if (chunks !== undefined) return { contentType: PROTOBUF_TYPE, chunks };
  }
  const form = jsonForm(answer, options);
  if (encoding === YAML_TYPE) {
    const chunks = Array.isArray(form) ? yamlChunks(form) : chunked(yamlPieces(form), options.memory);
    return { contentType: YAML_TYPE, chunks };
  }
  if (options.pretty || options.media.pretty) {
    const end = goesAsMap(answer, options) ? '' : '\n';
    const chunks = Array.isArray(form) ? prettyChunks(form, end) : chunked(prettyPieces(form, end), options.memory);
    return { contentType: JSON_TYPE, chunks };
  }
  return { contentType: JSON_TYPE, chunks: Array.isArray(form) ? form : listChunks(form, options.memory) };
}

/** Objects and lists of kinds that Go holds as maps; not a Table of them, nor a Status. */
const goesAsMap = ({ kind }: Answer, { entry, subresource, media }: EncodeOptions): boolean =>
  (kind === 'object' || kind === 'list') &&
  media.transform === undefined &&
  entry?.schema.form === 'map' &&
  (subresource === undefined || subresource.kind === entry.info.kind);

/**
 * The answer again, for readers of the audit log: in JSON, whatever the client wanted; each item as `shown` (undefined:
 * as it is).
 */
export function auditChunks(
  answer: Exclude<Answer, { kind: 'raw' | 'taken' }>,
  options: EncodeOptions,
  shown: ((value: unknown) => unknown) | undefined,
): Iterable<Buffer> {
  const form = jsonForm(answer, options);
  if (Array.isArray(form))
    return shown === undefined ? form : [Buffer.from(JSON.stringify(shown(JSON.parse(concat(form)))))];
  if (shown === undefined) return listChunks(form, options.memory);
  return listChunks({ open: form.open, items: shownTexts(form, shown) }, options.memory);
}

function* shownTexts(list: ListText, shown: (value: unknown) => unknown): Generator<string> {
  for (const value of parsedItems(list)) yield JSON.stringify(shown(value));
}

/** What a client gets whose Accept cannot even name an error's form: indented JSON (apiserver responsewriters.WriteRawJSON). */
export const rawStatus = (status: Status): Encoded => ({
  contentType: JSON_TYPE,
  chunks: [Buffer.from(JSON.stringify(status, undefined, 2))],
});
