import type { ApiContext } from '../pipeline/context.js';
import type { Answer, Exchange } from '../pipeline/exchange.js';
import { withoutManagedFields } from '../audit/auditor.js';
import { RawJson } from '../audit/raw-json.js';
import { auditChunks, encodeAnswer } from './encode.js';
import type { EncodeOptions } from './transform.js';
import { FRESH_MEMORY } from './chunked.js';
import { isPretty } from './pretty.js';
import { sendBytes, sendEncoded } from './send.js';

const codeOf = (answer: Exclude<Answer, { kind: 'raw' | 'taken' }>): number =>
  answer.kind === 'list' ? 200 : answer.code;

/** What the audit log shows of an answer. A list stays text. */
async function audited(
  answer: Exclude<Answer, { kind: 'raw' | 'taken' }>,
  options: EncodeOptions,
  omitManagedFields: boolean,
): Promise<unknown> {
  const { turns } = options;
  const chunks: Buffer[] = [];
  const list = answer.kind === 'list';
  for (const chunk of auditChunks(
    answer,
    { ...options, memory: FRESH_MEMORY },
    list && omitManagedFields ? withoutManagedFields : undefined,
  )) {
    if (turns.isOver()) await turns.next();
    chunks.push(chunk);
  }
  if (!list) return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  // A line of the log has one end.
  const last = chunks.pop();
  return new RawJson(last === undefined ? [] : [...chunks, last.subarray(0, last.lastIndexOf('}') + 1)]);
}

/** Writes what a handler answered, in the form that was negotiated. */
export async function respond(exchange: Exchange, answer: Answer, context: ApiContext): Promise<void> {
  if (answer.kind === 'taken') return;
  const { request, route } = exchange;
  if (answer.kind === 'raw') return sendBytes(exchange, answer.code, answer.headers, answer.body);
  const options: EncodeOptions = {
    media: exchange.media,
    pretty: isPretty(request.raw, request.query),
    query: request.query,
    clock: context.clock,
    protobuf: context.protobuf,
    turns: context.turns,
    memory: exchange,
    entry: route.kind === 'resource' ? route.entry : undefined,
    subresource: route.kind === 'resource' ? route.subresource : undefined,
  };
  const encoded = encodeAnswer(answer, options);
  if (answer.kind === 'status') exchange.audit?.answeredStatus(answer.status);
  else if (exchange.audit?.answer !== undefined)
    exchange.audit.answered(await audited(answer, options, exchange.audit.answer.omitManagedFields));
  await sendEncoded(exchange, codeOf(answer), encoded, context.turns);
}
