import { badRequestError, tooLargeError, type StatusError } from '../../machinery/status.js';
import type { IncomingRequest } from './exchange.js';

/** Upstream's limit for request bodies (kube-apiserver's MaxRequestBodyBytes). */
export const MAX_BODY_BYTES = 3 * 1024 * 1024;

const overLimit = (): StatusError => tooLargeError(`limit is ${MAX_BODY_BYTES}`);

/**
 * The whole body.
 * @throws StatusError 413 above 3 MiB; why the request is aborted when the deadline passes first
 */
export function readBody(request: IncomingRequest): Promise<Buffer> {
  const { raw, abortedBy } = request;
  if (abortedBy !== undefined) return Promise.reject(abortedBy);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const settle = (finish: () => void): void => {
      raw.off('data', onData).off('end', onEnd).off('error', onError).off('close', onClose);
      forget();
      finish();
    };
    const fail = (error: Error): void => settle(() => reject(error));
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      chunks.push(chunk);
      if (size <= MAX_BODY_BYTES) return;
      fail(overLimit());
      // What the client still sends is read and dropped, so that it gets to see the answer.
      raw.resume();
    };
    const onEnd = (): void =>
      settle(() => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
    const onError = (error: Error): void => fail(badRequestError(error.message));
    const onClose = (): void => fail(badRequestError('unexpected EOF'));
    const forget = request.onAbort(fail);
    raw.on('data', onData).on('end', onEnd).on('error', onError).on('close', onClose);
  });
}
