/** Answered in plain text, as upstream does: it is not the API that speaks here. */
export class TooManyRequestsError extends Error {
  override readonly name = 'TooManyRequestsError';

  constructor(readonly retryAfterSeconds = 1) {
    super('Too many requests, please try again later.');
  }
}
