import type { ApiContext } from '../pipeline/context.js';
import type { Answer, Exchange } from '../pipeline/exchange.js';
import { JSON_TYPE } from '../negotiation/media-types.js';
import { encodeAnswer, type EncodeOptions } from './encode.js';
import { isPretty } from './pretty.js';
import { sendBytes, sendEncoded } from './send.js';

const codeOf = (answer: Exclude<Answer, { kind: 'raw' | 'taken' }>): number =>
  answer.kind === 'list' ? 200 : answer.code;

/** The answer again, for readers of the audit log: in JSON, whatever the client wanted. */
function asJson(answer: Exclude<Answer, { kind: 'raw' | 'taken' }>, options: EncodeOptions): string {
  const media = { ...options.media, encoding: JSON_TYPE } as const;
  const { chunks } = encodeAnswer(answer, { ...options, media, pretty: false });
  return Buffer.concat([...chunks]).toString();
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
    entry: route.kind === 'resource' ? route.entry : undefined,
    subresource: route.kind === 'resource' ? route.subresource : undefined,
  };
  const encoded = encodeAnswer(answer, options);
  if (answer.kind === 'status') exchange.audit?.answeredStatus(answer.status);
  else exchange.audit?.answered(() => asJson(answer, options));
  await sendEncoded(exchange, codeOf(answer), encoded);
}
