import { badRequestError } from '../../../machinery/status.js';
import type { RequestContext } from '../../../api/strategy.js';
import type { CallWebhook } from '../../webhook-client/call.js';
import { WebhookCallError } from '../../webhook-client/call-error.js';
import { withDeadline } from '../../webhook-client/deadline.js';
import type { Attributes } from '../matching/attributes.js';
import type { Match } from '../matching/match.js';
import type { Hook } from './compile.js';
import { CallingError, rejection } from './hook-error.js';
import { InvalidReview, reviewBody, REVIEWS, reviewVersion, verdictOf, type Verdict } from './review.js';
import type { Versioned } from './versions.js';

/** An object of 3 MiB that is added as a whole, in base64, and what else belongs to an answer. */
const MAX_ANSWER_BYTES = 5 * 1024 * 1024;
const DEFAULT_SECONDS = 10;

export interface Question {
  readonly ctx: RequestContext;
  readonly hook: Hook;
  readonly kind: 'mutating' | 'validating';
  readonly asked: Attributes;
  readonly match: Match;
  readonly versioned: Versioned;
}

export interface AskOptions {
  readonly call: CallWebhook;
  readonly uuid: () => string;
}

interface Texts {
  readonly object: string;
  readonly oldObject: string;
}

/** Objects in one version, which many webhooks are sent. */
const texts = new WeakMap<Versioned, Texts>();

function textsOf(versioned: Versioned): Texts {
  let found = texts.get(versioned);
  if (found === undefined) {
    const { object, old } = versioned;
    texts.set(versioned, (found = { object: JSON.stringify(object ?? null), oldObject: JSON.stringify(old ?? null) }));
  }
  return found;
}

/** What is left of the request's time, in whole seconds, if that is less than the webhook has. */
function secondsOf({ spec }: Hook, { clock, deadlineMs }: RequestContext): number {
  const own = spec.timeoutSeconds ?? DEFAULT_SECONDS;
  if (deadlineMs === undefined) return own;
  return Math.max(1, Math.min(own, Math.ceil((deadlineMs - clock.monotonic()) / 1000)));
}

/**
 * Asks one webhook whether it allows a request; its warnings and annotations are passed on. @throws CallingError where its
 * failure policy counts, RejectionError, StatusError 400 for a dry run that it cannot do, the signal's reason
 */
export async function askHook(question: Question, { call, uuid }: AskOptions): Promise<Verdict> {
  const { ctx, hook, kind, asked, match, versioned } = question;
  const { name, spec } = hook;
  if (asked.dryRun && spec.sideEffects !== 'None' && spec.sideEffects !== 'NoneOnDryRun')
    throw badRequestError(`admission webhook ${JSON.stringify(name)} does not support dry run`);
  const version = reviewVersion(spec.admissionReviewVersions);
  if (version === undefined)
    throw new CallingError(
      name,
      'could not create admission objects: webhook does not accept known AdmissionReview versions (v1, v1beta1)',
      400,
    );
  const uid = uuid();
  const body = reviewBody({ version, uid, asked, match, ...textsOf(versioned) });
  try {
    const answer = await withDeadline(ctx.clock, (spec.timeoutSeconds ?? DEFAULT_SECONDS) * 1000, ctx.signal, signal =>
      call({
        config: spec.clientConfig,
        body,
        timeoutSeconds: secondsOf(hook, ctx),
        signal,
        answer: REVIEWS[version],
        maxBytes: MAX_ANSWER_BYTES,
      }),
    );
    const verdict = verdictOf(answer, version, uid, kind);
    for (const [key, value] of Object.entries(verdict.auditAnnotations)) ctx.annotate?.(`${name}/${key}`, value);
    for (const text of verdict.warnings) ctx.warn(text);
    if (!verdict.allowed) throw rejection(name, verdict.status);
    return verdict;
  } catch (error) {
    if (error instanceof WebhookCallError)
      throw new CallingError(name, `failed to call webhook: ${error.message}`, error.code, { cause: error });
    if (error instanceof InvalidReview)
      throw new CallingError(name, `received invalid webhook response: ${error.message}`, 503, { cause: error });
    throw error;
  }
}
