/** A failure with curl's exit code. */
export class CurlError extends Error {
  override readonly name = 'CurlError';
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}
