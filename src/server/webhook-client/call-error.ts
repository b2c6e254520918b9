import { quote } from '../../machinery/go-text.js';

/** A webhook could not be asked, or its answer is none: what client-go's REST client says, which no policy has judged yet. */
export class WebhookCallError extends Error {
  override readonly name = 'WebhookCallError';

  /** `code`: of the Status that upstream makes of it, which metrics show. */
  constructor(
    message: string,
    readonly code: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A deadline has passed: Go's words, which are part of messages. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
  override readonly message = 'context deadline exceeded';
}

const TEXTS: Readonly<Record<number, string>> = {
  400: 'the server rejected our request for an unknown reason',
  401: 'the server has asked for the client to provide credentials',
  404: 'the server could not find the requested resource',
  405: 'the server does not allow this method on the requested resource',
  409: 'the server reported a conflict',
  422: 'the server rejected our request due to an error in our request',
  429: 'the server has received too many requests and has asked us to try again later',
  503: 'the server is currently unable to handle the request',
  504: 'the server was unable to return a response in the time allotted, but may still be processing the request',
};

/** How much of a body is said again. */
const MAX_TEXT_BYTES = 2048;

/** apimachinery errors.NewGenericServerResponse, for a request about no resource. */
export function statusText(code: number, contentType: string | undefined, body: Buffer): string {
  const isText = contentType === undefined || /^text\//i.test(contentType);
  const said = isText ? body.subarray(0, MAX_TEXT_BYTES).toString('utf8').trim() : 'unknown';
  if (code === 403 || code === 415) return said;
  if (code === 406)
    return said === '' || said === 'unknown'
      ? 'the server was unable to respond with a content type that the client supports'
      : said;
  const text = TEXTS[code];
  if (text !== undefined) return text;
  if (code >= 500) return `an error on the server (${quote(said)}) has prevented the request from succeeding`;
  return `the server responded with the status code ${code} but did not return more information`;
}
