/** A volume that cannot be set up yet: event FailedMount, tried again. */
export class MountError extends Error {
  override readonly name = 'MountError';
}

/** A claim that is not bound yet: usual for a moment, said only when it lasts. */
export class ClaimNotReadyError extends MountError {}
