import { quote } from './go-text.js';
import { formatFieldError, valuePrinter, MAX_FIELD_ERRORS, type FieldError } from './field-error.js';

export interface StatusCause {
  reason?: string;
  message?: string;
  field?: string;
}

export interface StatusDetails {
  name?: string;
  group?: string;
  kind?: string;
  uid?: string;
  causes?: StatusCause[];
  retryAfterSeconds?: number;
}

/** metav1.Status, the body of every failed request. */
export interface Status {
  kind: 'Status';
  apiVersion: 'v1';
  metadata: { continue?: string };
  status: 'Success' | 'Failure';
  message?: string;
  reason?: StatusReason;
  details?: StatusDetails;
  code?: number;
}

export type StatusReason =
  | 'Unauthorized'
  | 'Forbidden'
  | 'NotFound'
  | 'AlreadyExists'
  | 'Conflict'
  | 'Gone'
  | 'Invalid'
  | 'ServerTimeout'
  | 'Timeout'
  | 'TooManyRequests'
  | 'BadRequest'
  | 'MethodNotAllowed'
  | 'NotAcceptable'
  | 'RequestEntityTooLarge'
  | 'UnsupportedMediaType'
  | 'InternalError'
  | 'Expired'
  | 'ServiceUnavailable';

export interface GroupResource {
  group: string;
  resource: string;
}

/** "deployments.apps", or "pods" for the core group. */
export const qualified = (gr: GroupResource): string => (gr.group === '' ? gr.resource : `${gr.resource}.${gr.group}`);

/**
 * The one error type that reaches a client as it is. Thrown low, written in one place (server pipeline).
 * Anything else that is thrown is a bug and becomes a 500.
 */
export class StatusError extends Error {
  override readonly name = 'StatusError';
  readonly status: Status & { code: number };

  constructor(
    code: number,
    reason: StatusReason | undefined,
    message: string,
    details?: StatusDetails,
    metadata: Status['metadata'] = {},
  ) {
    super(message);
    this.status = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata,
      status: 'Failure',
      message,
      ...(reason === undefined ? {} : { reason }),
      ...(details === undefined ? {} : { details }),
      code,
    };
  }
  get code(): number {
    return this.status.code;
  }
  get reason(): StatusReason | undefined {
    return this.status.reason;
  }
}

export const isStatusError = (error: unknown, reason?: StatusReason): error is StatusError =>
  error instanceof StatusError && (reason === undefined || error.reason === reason);

const resourceDetails = (gr: GroupResource, name = ''): StatusDetails => ({
  ...(name === '' ? {} : { name }),
  ...(gr.group === '' ? {} : { group: gr.group }),
  ...(gr.resource === '' ? {} : { kind: gr.resource }),
});

export const notFoundError = (gr: GroupResource, name: string): StatusError =>
  new StatusError(404, 'NotFound', `${qualified(gr)} ${quote(name)} not found`, resourceDetails(gr, name));

/** The answer to a path inside a known group that names nothing served. */
export const pathNotFoundError = (): StatusError =>
  new StatusError(404, 'NotFound', 'the server could not find the requested resource', {});

export const alreadyExistsError = (gr: GroupResource, name: string): StatusError =>
  new StatusError(409, 'AlreadyExists', `${qualified(gr)} ${quote(name)} already exists`, resourceDetails(gr, name));

export const conflictError = (gr: GroupResource, name: string, why: string): StatusError =>
  new StatusError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${qualified(gr)} ${quote(name)}: ${why}`,
    resourceDetails(gr, name),
  );

export const OPTIMISTIC_LOCK_MESSAGE =
  'the object has been modified; please apply your changes to the latest version and try again';

/** 403. `name` may be empty: `pods is forbidden: ...`. */
export const forbiddenError = (gr: GroupResource, name: string, why: string, causes?: StatusCause[]): StatusError => {
  const what =
    gr.resource === ''
      ? 'forbidden'
      : name === ''
        ? `${qualified(gr)} is forbidden`
        : `${qualified(gr)} ${quote(name)} is forbidden`;
  return new StatusError(403, 'Forbidden', `${what}: ${why}`, {
    ...resourceDetails(gr, name),
    ...(causes === undefined ? {} : { causes }),
  });
};

export const badRequestError = (message: string): StatusError => new StatusError(400, 'BadRequest', message);
export const methodNotAllowedError = (): StatusError =>
  new StatusError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});
export const unauthorizedError = (): StatusError => new StatusError(401, 'Unauthorized', 'Unauthorized');
export const expiredError = (message: string, continueToken?: string): StatusError =>
  new StatusError(410, 'Expired', message, undefined, continueToken === undefined ? {} : { continue: continueToken });
export const tooLargeError = (message: string): StatusError =>
  new StatusError(413, 'RequestEntityTooLarge', `Request entity too large: ${message}`);
export const internalError = (message: string): StatusError =>
  new StatusError(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] });
export const serviceUnavailableError = (message: string): StatusError =>
  new StatusError(503, 'ServiceUnavailable', message);
export const tooManyRequestsError = (message: string, retryAfterSeconds: number): StatusError =>
  new StatusError(429, 'TooManyRequests', message, { retryAfterSeconds });
export const timeoutError = (message: string, details: StatusDetails = {}): StatusError =>
  new StatusError(504, 'Timeout', `Timeout: ${message}`, details);
/** Some upstream errors are plain 500s with no reason (see k8s.io/apiserver responsewriters.ErrorToAPIStatus). */
export const reasonlessError = (message: string, code = 500): StatusError =>
  new StatusError(code, undefined, message, undefined);

/** An answer says this much of what is wrong, and this much of one error. Upstream has no bound. */
const MAX_ERROR_CHARACTERS = 4 * 1024 * 1024;
const MAX_MESSAGE_CHARACTERS = 1024 * 1024;

const shortened = (message: string): string =>
  `${message.slice(0, MAX_MESSAGE_CHARACTERS)}... (${message.length - MAX_MESSAGE_CHARACTERS} more characters)`;

function withinBudget(errors: readonly FieldError[]): readonly FieldError[] {
  let characters = 0;
  const told: FieldError[] = [];
  const print = valuePrinter();
  for (const error of errors) {
    const { type, field } = error;
    const message = error.messageBy?.(print) ?? error.message;
    const isLong = message.length > MAX_MESSAGE_CHARACTERS;
    characters += field.length + (isLong ? MAX_MESSAGE_CHARACTERS : message.length);
    if (characters > MAX_ERROR_CHARACTERS && told.length > 0) break;
    told.push(isLong ? { type, field, message: shortened(message) } : error);
  }
  return told;
}

/**
 * 422 for a kind. `kind` is "Pod" or "Deployment.apps" in the text (upstream GroupKind); errors equal in text are
 * printed once, causes are all listed.
 */
export function invalidError(
  gk: { group: string; kind: string },
  name: string,
  errors: readonly FieldError[],
): StatusError {
  const told = withinBudget(errors);
  const texts = [...new Set(told.map(formatFieldError))];
  if (errors.length >= MAX_FIELD_ERRORS) texts.push('and more errors');
  else if (told.length < errors.length) texts.push(`and ${errors.length - told.length} more errors`);
  const joined = texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`;
  const qualifiedKind = gk.group === '' ? gk.kind : `${gk.kind}.${gk.group}`;
  return new StatusError(422, 'Invalid', `${qualifiedKind} ${quote(name)} is invalid: ${joined}`, {
    ...(name === '' ? {} : { name }),
    ...(gk.group === '' ? {} : { group: gk.group }),
    ...(gk.kind === '' ? {} : { kind: gk.kind }),
    causes: told.map(e => ({ reason: e.type, message: e.message, field: e.field })),
  });
}
