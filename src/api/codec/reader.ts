import type { Steps } from '../../machinery/steps.js';
import type { JsonObject } from '../../machinery/types.js';
import type { JsonCursor } from './json-cursor.js';

/** Reads one value in its canonical form. undefined: null, or of the wrong type (noted in the cursor). */
export type Read = (cursor: JsonCursor) => unknown;

export interface Reader {
  readonly read: Read;
  /** The same, of a value that takes long; undefined: there is nothing in it to rest between. */
  readonly steps?: (cursor: JsonCursor) => Steps<unknown>;
}

/** The reader of an object that has begun: the cursor stands at its brace. */
export interface StructReader {
  readonly read: (cursor: JsonCursor) => JsonObject;
  readonly steps: (cursor: JsonCursor) => Steps<JsonObject>;
}
