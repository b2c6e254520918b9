import type { ApiContext } from '../pipeline/context.js';
import type { Answer, Exchange } from '../pipeline/exchange.js';
import { encodeAnswer } from './encode.js';
import { isPretty } from './pretty.js';
import { sendBytes, sendEncoded } from './send.js';

const codeOf = (answer: Exclude<Answer, { kind: 'raw' | 'taken' }>): number =>
  answer.kind === 'list' ? 200 : answer.code;

/** Writes what a handler answered, in the form that was negotiated. */
export async function respond(exchange: Exchange, answer: Answer, context: ApiContext): Promise<void> {
  if (answer.kind === 'taken') return;
  const { request, route } = exchange;
  if (answer.kind === 'raw') return sendBytes(exchange, answer.code, answer.headers, answer.body);
  const encoded = encodeAnswer(answer, {
    media: exchange.media,
    pretty: isPretty(request.raw, request.query),
    query: request.query,
    clock: context.clock,
    protobuf: context.protobuf,
    entry: route.kind === 'resource' ? route.entry : undefined,
    subresource: route.kind === 'resource' ? route.subresource : undefined,
  });
  await sendEncoded(exchange, codeOf(answer), encoded);
}
