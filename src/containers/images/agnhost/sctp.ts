import { addAbortSignal } from 'node:stream';
import type { NetStream } from '../../network/types.js';

/** Sends one message and resolves with the first that comes back, or with nothing when the association ends without one. */
export async function ask(association: NetStream, message: string, signal: AbortSignal): Promise<Buffer | undefined> {
  try {
    association.write(Buffer.from(message));
    for await (const answer of addAbortSignal(signal, association)) return answer as Buffer;
    return undefined;
  } finally {
    association.destroy();
  }
}
