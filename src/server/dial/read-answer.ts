import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';

/** The head of an answer came, the body did not. */
export class BodyError extends Error {
  override readonly name = 'BodyError';
}

const NO_GZIP = 'incorrect header check';
const CUT_OFF = new Set(['ECONNRESET', 'Z_BUF_ERROR', 'ERR_STREAM_PREMATURE_CLOSE']);

async function decompressed(answer: IncomingMessage): Promise<Readable> {
  if (answer.headers['content-encoding'] !== 'gzip') return answer;
  const { createGunzip } = await import('node:zlib');
  const gunzip = createGunzip();
  answer.on('error', error => gunzip.destroy(error));
  answer.on('aborted', () => gunzip.destroy(new BodyError('unexpected EOF')));
  gunzip.on('close', () => answer.destroy());
  return answer.pipe(gunzip);
}

/**
 * A body to its end, but no longer than that: what is too long ends the connection.
 * @throws BodyError
 */
export async function readAnswer(answer: IncomingMessage, maxBytes: number, signal: AbortSignal): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  const tooLong = (): BodyError => new BodyError(`the body is longer than ${maxBytes} bytes`);
  try {
    if (Number(answer.headers['content-length'] ?? 0) > maxBytes) throw tooLong();
    for await (const chunk of (await decompressed(answer)) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxBytes) throw tooLong();
      chunks.push(chunk);
    }
  } catch (error) {
    answer.destroy();
    if (signal.aborted) throw new BodyError((signal.reason as Error).message, { cause: signal.reason });
    if (error instanceof BodyError) throw error;
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw new BodyError(CUT_OFF.has(code) ? 'unexpected EOF' : message === NO_GZIP ? 'gzip: invalid header' : message);
  }
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
}
