import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { UserInfo } from '../../../api/strategy.js';

/** What authentication looks at; the pipeline's request fits. */
export interface Credentials {
  readonly raw: Pick<IncomingMessage, 'headers' | 'headersDistinct'>;
  readonly socket: TLSSocket;
}

/** `none`: nothing of this authenticator's kind was shown. `refused`: something was, and it is no good. */
export type Outcome =
  | { readonly kind: 'user'; readonly user: UserInfo; readonly audiences?: readonly string[] }
  | { readonly kind: 'none' }
  | { readonly kind: 'refused'; readonly reason: string };

export const NONE: Outcome = { kind: 'none' };
export const refused = (reason: string): Outcome => ({ kind: 'refused', reason });

/** Knows users by what comes with a request. */
export type RequestAuthenticator = (request: Credentials) => Outcome;

/** Knows users by a bearer token. `audiences`: whom the token must be meant for. */
export type TokenAuthenticator = (token: string, audiences: readonly string[]) => Outcome;

/** The first that knows the user; else every refusal. */
export function firstOf(outcomes: Iterable<Outcome>): Outcome & { readonly reasons?: readonly string[] } {
  const reasons: string[] = [];
  for (const outcome of outcomes) {
    if (outcome.kind === 'user') return outcome;
    if (outcome.kind === 'refused') reasons.push(outcome.reason);
  }
  return reasons.length === 0 ? NONE : { kind: 'refused', reason: reasons[0] ?? '', reasons };
}
