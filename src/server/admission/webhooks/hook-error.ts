import { internalError, StatusError, type StatusDetails, type StatusReason } from '../../../machinery/status.js';

/** A webhook could not say what it thinks: its failure policy says what becomes of the request. */
export class CallingError extends Error {
  override readonly name = 'CallingError';

  /** `code`: what metrics show. */
  constructor(
    hook: string,
    reason: string,
    readonly code: number,
    options?: ErrorOptions,
  ) {
    super(`failed calling webhook ${JSON.stringify(hook)}: ${reason}`, options);
  }

  status(): StatusError {
    return internalError(this.message);
  }
}

/** A webhook has said no. */
export class RejectionError extends Error {
  override readonly name = 'RejectionError';

  constructor(readonly status: StatusError) {
    super(status.message);
  }
}

/** A Status as a webhook sends it: decoded as Go would, so that absent members are zero values. */
export interface SentStatus {
  readonly metadata?: { readonly continue?: string };
  readonly status?: string;
  readonly message?: string;
  readonly reason?: string;
  readonly details?: StatusDetails;
  readonly code?: number;
}

const NO_ERROR_BELOW = 400;

/** apiserver pkg/admission/plugin/webhook/errors ToStatusErr. */
export function rejection(hook: string, sent: SentStatus = {}): RejectionError {
  const { code = 0, message = '', reason = '', details, metadata } = sent;
  const why = message === '' ? reason : message;
  const denied = `admission webhook ${JSON.stringify(hook)} denied the request`;
  return new RejectionError(
    new StatusError(
      Math.max(code, NO_ERROR_BELOW),
      reason === '' ? undefined : (reason as StatusReason),
      why === '' ? `${denied} without explanation` : `${denied}: ${why}`,
      details,
      metadata,
    ),
  );
}
