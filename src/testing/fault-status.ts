import {
  alreadyExistsError,
  conflictError,
  expiredError,
  internalError,
  notFoundError,
  OPTIMISTIC_LOCK_MESSAGE,
  serviceUnavailableError,
  StatusError,
  timeoutError,
  tooManyRequestsError,
  unauthorizedError,
  forbiddenError,
} from '../machinery/status.js';
import type { RequestInfo } from '../server/pipeline/request-info.js';

/** What kube-apiserver answers with a status of HTTP to a request, when that is what goes wrong. */
export function faultStatus(code: number, info: RequestInfo, message?: string, retryAfterSeconds = 1): StatusError {
  const made = known(code, info, retryAfterSeconds);
  if (message === undefined) return made;
  return new StatusError(code, made.reason, message, made.status.details);
}

function known(code: number, info: RequestInfo, retryAfterSeconds: number): StatusError {
  switch (code) {
    case 401:
      return unauthorizedError();
    case 403:
      return forbiddenError(info, info.name, 'a fault of the test');
    case 404:
      return notFoundError(info, info.name);
    case 409:
      return info.verb === 'create'
        ? alreadyExistsError(info, info.name)
        : conflictError(info, info.name, OPTIMISTIC_LOCK_MESSAGE);
    case 410:
      return expiredError('The resourceVersion for the provided list is too old.');
    case 429:
      return tooManyRequestsError('Too many requests, please try again later.', retryAfterSeconds);
    case 500:
      return internalError('a fault of the test');
    case 503:
      return serviceUnavailableError('the server is currently unable to handle the request');
    case 504:
      return timeoutError('Timeout: request did not complete within the allotted timeout');
    default:
      return new StatusError(code, undefined, `a fault of the test: ${code}`);
  }
}
