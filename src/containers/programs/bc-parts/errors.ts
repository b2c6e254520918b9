export class BcError extends Error {
  override readonly name = 'BcError';
}
/** Ends the program. */
export class Quit extends Error {}
/** Ends the loop that it is in. */
export class Break extends Error {}
