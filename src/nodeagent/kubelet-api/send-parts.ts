import type { ServerResponse } from 'node:http';
import type { Clock } from '../../machinery/clock.js';
import { drained } from '../../machinery/drained.js';
import { createTurns } from '../../machinery/turns.js';
import { HttpError } from './types.js';

export interface SendPartsOptions {
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly type: string;
  /** Changes with what the parts are made of: then they are made anew, as nft reads a ruleset that changes meanwhile. */
  readonly version: () => number;
  readonly signal: AbortSignal;
}

/** Characters that are put together before they are bytes. */
const PIECE = 64 * 1024;
/** Whoever is overtaken more often is not the only one who works. */
const MAX_TRIES = 10;

/**
 * Sends a long text that is made in steps: others have their turn of the event loop between them, and no more is given to
 * the connection than it takes. Ends without more when the client is gone. @throws HttpError 503 when it changes faster
 * than it can be made
 */
export async function sendParts(
  response: ServerResponse,
  parts: () => Iterable<string>,
  { clock, type, version, signal }: SendPartsOptions,
): Promise<void> {
  const turns = createTurns(clock);
  /** Undefined: something else is there meanwhile. */
  const make = async (): Promise<Buffer[] | undefined> => {
    const made: Buffer[] = [];
    const began = version();
    let text = '';
    for (const part of parts()) {
      text += part;
      if (text.length >= PIECE) {
        made.push(Buffer.from(text));
        text = '';
      }
      if (!turns.isOver()) continue;
      await turns.next();
      if (signal.aborted || version() !== began) return undefined;
    }
    made.push(Buffer.from(text));
    return made;
  };
  let pieces: Buffer[] | undefined;
  for (let tries = 0; pieces === undefined; tries++) {
    if (tries === MAX_TRIES) throw new HttpError(503, 'the rules change faster than they can be listed');
    pieces = await make();
    if (signal.aborted) return;
  }
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  response.writeHead(200, { 'Content-Type': type, 'Content-Length': length });
  for (const piece of pieces) {
    if (response.write(piece)) continue;
    await drained(response, signal);
    if (signal.aborted) return;
  }
  response.end();
}
