import { attributesOf } from '../matching/attributes.js';
import { matchRequest, type Match } from '../matching/match.js';
import type { AdmissionPlugin } from '../types.js';
import { askHook } from './ask.js';
import { createHookSource, type Hook } from './compile.js';
import { conditionsHold } from './conditions.js';
import { judged } from './judge.js';
import { isExempt, type WebhooksOptions } from './options.js';
import type { Versioned } from './versions.js';

interface Relevant {
  readonly hook: Hook;
  readonly match: Match;
  readonly versioned: Versioned;
}

/** All webhooks that match are asked at once; whichever says no first is heard. */
export function createValidatingWebhooks(options: WebhooksOptions): AdmissionPlugin {
  const { ready, equivalents, versions, metrics, compileConditions } = options;
  const source = createHookSource('validatingwebhookconfigurations.admissionregistration.k8s.io', compileConditions);
  return {
    name: 'ValidatingAdmissionWebhook',
    async validate(ctx, request) {
      if (!ready() || isExempt(request)) return;
      const hooks = source(ctx.objects);
      if (hooks.length === 0) return;
      const asked = attributesOf(ctx, request);
      const own = { object: request.object, old: request.old };
      const shown = new Map<string, Versioned>();
      const relevant: Relevant[] = [];
      for (const hook of hooks) {
        const match = await matchRequest(hook.criteria, ctx, request, asked, own, equivalents);
        if (match === undefined) continue;
        const key = Object.values(match.kind).join('/');
        const versioned = shown.get(key) ?? (await versions.show(request, asked, match, ctx.signal));
        shown.set(key, versioned);
        if (!(await conditionsHold(hook.conditions, hook.ignoresFailures, { ctx, asked, match, ...versioned })))
          continue;
        relevant.push({ hook, match, versioned });
      }
      const errors: unknown[] = [];
      const ask = async ({ hook, match, versioned }: Relevant, index: number): Promise<void> => {
        const question = { ctx, hook, kind: 'validating', asked, match, versioned } as const;
        try {
          const { failedOpen } = await judged(hook, 'validating', asked.operation, ctx, metrics, () =>
            askHook(question, options),
          );
          if (failedOpen)
            ctx.annotate?.(`failed-open.validating.webhook.admission.k8s.io/round_0_index_${index}`, hook.name);
        } catch (error) {
          errors.push(error);
        }
      };
      await Promise.all(relevant.map(ask));
      if (errors.length > 0) throw errors[0];
    },
  };
}
