import { cloneJson, semanticEqual } from '../../../machinery/json-equal.js';
import { internalError } from '../../../machinery/status.js';
import { inTurns } from '../../../machinery/steps.js';
import type { KubeObject } from '../../../machinery/types.js';
import type { RequestContext } from '../../../api/strategy.js';
import { attributesOf, type Attributes } from '../matching/attributes.js';
import { matchRequest, type Match } from '../matching/match.js';
import type { AdmissionPlugin, AdmissionRequest } from '../types.js';
import { askHook } from './ask.js';
import { createHookSource, type Hook } from './compile.js';
import { conditionsHold } from './conditions.js';
import { CallingError } from './hook-error.js';
import { judged } from './judge.js';
import { isExempt, type WebhooksOptions } from './options.js';
import { applyPatch, decodePatch, type Operations } from './patch.js';
import { createReinvocation, type Reinvocation } from './reinvocation.js';
import type { Verdict } from './review.js';
import type { Versioned } from './versions.js';

const NAME = 'MutatingAdmissionWebhook';
const MUTATION = 'mutation.webhook.admission.k8s.io/';
const PATCH = 'patch.webhook.admission.k8s.io/';

/** Mutates. All that an object is becomes what another one is: whoever holds it sees that. */
function become(object: KubeObject, other: KubeObject): void {
  // All of them, so that they come in the order that the new ones have.
  for (const key of Object.keys(object)) delete object[key];
  Object.assign(object, other);
}

/** One pass over the webhooks: the object as it is now, in the version in which it was shown last. */
interface Pass {
  readonly ctx: RequestContext;
  readonly request: AdmissionRequest;
  readonly asked: Attributes;
  readonly reinvocation: Reinvocation;
  shown: { readonly match: Match; versioned: Versioned; dirty: boolean } | undefined;
}

/** The operations of a verdict's patch; undefined: it changes nothing. @throws CallingError, StatusError 500 */
function operationsOf(hook: Hook, { patch, patchType }: Verdict, { object }: Versioned): Operations | undefined {
  if (patch === undefined) return undefined;
  let operations: Operations;
  try {
    operations = decodePatch(patch);
  } catch (error) {
    const { message } = error as Error;
    throw new CallingError(hook.name, `received undecodable patch in webhook response: ${message}`, 503);
  }
  if (operations.length === 0) return undefined;
  if (object === undefined)
    throw internalError(
      `admission webhook ${JSON.stringify(hook.name)} attempted to modify the object, which is not supported for this operation`,
    );
  if (patchType !== 'JSONPatch')
    throw new CallingError(hook.name, `unsupported patch type ${JSON.stringify(patchType)}`, 400);
  return operations;
}

/** Webhooks that match are asked one after another, each about what the ones before it have made of the object. */
export function createMutatingWebhooks(options: WebhooksOptions): AdmissionPlugin {
  const { catalog, turns, ready, equivalents, versions, metrics, compileConditions } = options;
  const source = createHookSource('mutatingwebhookconfigurations.admissionregistration.k8s.io', compileConditions);

  /** Puts what has been made of the object where the request has it. */
  const settle = async ({ ctx, request, asked, shown }: Pass): Promise<void> => {
    if (shown?.dirty !== true || request.object === undefined || shown.versioned.object === undefined) return;
    const made = shown.versioned.object as KubeObject;
    become(request.object, await versions.back(made, request, asked, shown.match, ctx.signal));
    shown.dirty = false;
  };

  const show = async (pass: Pass, match: Match): Promise<Versioned> => {
    const { ctx, request, asked, shown } = pass;
    if (shown !== undefined && semanticEqual(shown.match.kind, match.kind)) return shown.versioned;
    await settle(pass);
    const versioned = await versions.show(request, asked, match, ctx.signal);
    pass.shown = { match, versioned, dirty: false };
    return versioned;
  };

  /** @returns whether the object is another one now */
  const change = async (pass: Pass, hook: Hook, verdict: Verdict, annotate: (operations: Operations) => void) => {
    const { shown } = pass;
    if (shown === undefined) throw new Error('a webhook is shown what it is asked about');
    const { versioned } = shown;
    const operations = operationsOf(hook, verdict, versioned);
    if (operations === undefined || versioned.object === undefined) return false;
    const { object, changed } = await inTurns(applyPatch(catalog, versioned.object, versioned.kind, operations), turns);
    annotate(operations);
    shown.versioned = { ...versioned, object };
    shown.dirty = true;
    return changed;
  };

  const askOne = async (pass: Pass, hook: Hook, index: number): Promise<void> => {
    const { ctx, request, asked, reinvocation } = pass;
    const current = pass.shown?.versioned ?? { object: request.object, old: request.old };
    const match = await matchRequest(hook.criteria, ctx, request, asked, current, equivalents);
    if (match === undefined) return;
    if (hook.conditions !== undefined) {
      const input = { ctx, asked, match, ...(await show(pass, match)) };
      if (!(await conditionsHold(hook.conditions, hook.ignoresFailures, input))) return;
    }
    if (!reinvocation.wants(hook.uid)) return;
    const versioned = await show(pass, match);
    const at = `round_${reinvocation.round}_index_${index}`;
    const who = { configuration: hook.configuration, webhook: hook.name };
    let mutated = false;
    try {
      const { failedOpen } = await judged(hook, 'admit', asked.operation, ctx, metrics, async () => {
        const question = { ctx, hook, kind: 'mutating', asked, match, versioned } as const;
        const verdict = await askHook(question, options);
        mutated = await change(pass, hook, verdict, patch =>
          ctx.annotate?.(PATCH + at, JSON.stringify({ ...who, patch, patchType: 'JSONPatch' }), true),
        );
      });
      if (failedOpen) ctx.annotate?.(`failed-open.${MUTATION}${at}`, hook.name);
    } finally {
      ctx.annotate?.(MUTATION + at, JSON.stringify({ ...who, mutated }));
    }
    if (mutated) reinvocation.changed();
    if (hook.spec.reinvocationPolicy === 'IfNeeded') reinvocation.asked(hook.uid);
  };

  return {
    name: NAME,
    async admit(ctx, request) {
      if (!ready() || isExempt(request)) return;
      const hooks = source(ctx.objects);
      if (hooks.length === 0) return;
      const reinvocation = createReinvocation(NAME, request);
      const pass: Pass = { ctx, request, asked: attributesOf(ctx, request), reinvocation, shown: undefined };
      for (const [index, hook] of hooks.entries()) await askOne(pass, hook, index);
      await settle(pass);
      reinvocation.remember(request.object === undefined ? undefined : cloneJson(request.object));
    },
  };
}
