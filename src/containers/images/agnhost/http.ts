import type { IncomingMessage } from 'node:http';
import type { ContainerContext } from '../../process.js';
import { deadline } from '../../../machinery/deadline.js';
import { httpCall } from '../../network/http-client.js';
import type { SocketAddress } from '../../network/types.js';

/** What one message may make an agent hold; more is no use of these programs. */
const MAX_BODY = 32 * 1024 * 1024;

/** The whole body. @throws Error when it is larger than `limit` bytes, by default what an agent should hold, or cut off */
export async function readBody(message: IncomingMessage, limit = MAX_BODY): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message) {
    size += (chunk as Buffer).length;
    if (size > limit) throw new Error('http: request body too large');
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

/** GET over the pod network, with the whole body. @throws NetworkError, Error */
export async function get(
  { network, clock }: Pick<ContainerContext, 'network' | 'clock'>,
  to: SocketAddress,
  path: string,
  options: {
    readonly signal: AbortSignal;
    readonly timeoutMs: number;
    readonly method?: string;
    readonly body?: Buffer;
  },
): Promise<{ status: number; body: string }> {
  const limit = deadline(clock, options.timeoutMs, options.signal);
  try {
    const { body } = options;
    const { response, stream } = await httpCall(
      network,
      {
        to,
        method: options.method ?? 'GET',
        path,
        headers: [
          ['Host', `${to.address}:${to.port}`],
          ['User-Agent', 'Go-http-client/1.1'],
          ...(body === undefined ? [] : [['Content-Length', String(body.length)] as const]),
          ['Connection', 'close'],
        ],
        ...(body === undefined ? {} : { body }),
      },
      { signal: limit.signal, timeoutMs: options.timeoutMs },
    );
    try {
      return { status: response.statusCode ?? 0, body: (await readBody(response)).toString('utf8') };
    } finally {
      stream.destroy();
    }
  } finally {
    limit.cancel();
  }
}
