import type { RequestContext } from '../../api/strategy.js';
import type { AdmissionRequest } from '../admission/types.js';
import type { Scope } from './scope.js';

/** What each plugin is told, beside what the scope already knows. */
export type AdmissionCall = Omit<AdmissionRequest, 'resource' | 'rounds'>;

async function admitOnce(scope: Scope, ctx: RequestContext, request: AdmissionRequest): Promise<void> {
  for (const plugin of scope.admission) {
    const pending = plugin.admit?.(ctx, request);
    // Most plugins answer at once: no turn of the event loop for those.
    if (pending !== undefined) await pending;
  }
}

/** Runs the mutating half of the plugins, in order, and once again where one of them wants it. @throws StatusError */
export async function admit(scope: Scope, ctx: RequestContext, call: AdmissionCall): Promise<void> {
  if (ctx.unadmitted === true) return;
  const rounds = { again: false, wanted: false, memory: new Map<string, unknown>() };
  const request: AdmissionRequest = { ...call, resource: scope.info, rounds };
  await admitOnce(scope, ctx, request);
  if (!rounds.wanted) return;
  rounds.again = true;
  await admitOnce(scope, ctx, request);
}

/** Runs the validating half of the plugins, in order. @throws StatusError */
export async function validateAdmission(scope: Scope, ctx: RequestContext, call: AdmissionCall): Promise<void> {
  if (ctx.unadmitted === true) return;
  const request: AdmissionRequest = { ...call, resource: scope.info };
  for (const plugin of scope.admission) {
    const pending = plugin.validate?.(ctx, request);
    if (pending !== undefined) await pending;
  }
}
