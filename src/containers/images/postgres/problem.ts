import { SqlError } from '../sql/catalog.js';
import { UnterminatedError } from '../sql/tokens.js';
import { errorResponse } from './messages.js';

/** What a client is told of its mistake. @throws what is none of the client's */
export function problemOf(error: unknown): Buffer {
  if (error instanceof SqlError) return errorResponse('ERROR', error.code, error.message);
  if (error instanceof UnterminatedError)
    return errorResponse('ERROR', '42601', `unterminated quoted string at or near "${error.message}"`);
  throw error;
}
