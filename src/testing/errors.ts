import type { ApiObject } from './types.js';

/** What cannot be read as objects. `message` names the file and what is wrong with it, on one line. */
export class DocumentError extends Error {
  override readonly name = 'DocumentError';
}

/** What never came. `message` says what was waited for and what the object was like at last. */
export class WaitError extends Error {
  override readonly name = 'WaitError';
  constructor(
    message: string,
    /** As it was last seen; undefined: there was none. */
    readonly last: ApiObject | undefined,
  ) {
    super(message);
  }
}

/** What is asked of a cluster in another process, and cannot be done. `message` names it. */
export class ControlError extends Error {
  override readonly name = 'ControlError';
}

/** A file that is no snapshot, or a damaged one. `message` says why, in a line fit for a terminal. */
export class SnapshotError extends Error {
  override readonly name = 'SnapshotError';
}
