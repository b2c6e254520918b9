import { formatFieldError, path } from '../../machinery/field-error.js';
import { setMember } from '../../machinery/json-equal.js';
import type { KubeObject, ManagedFieldsEntry } from '../../machinery/types.js';
import { validateManagedFields } from '../../machinery/validation/object-meta.js';
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
  const before = call.object?.metadata.managedFields;
  await admitOnce(scope, ctx, request);
  if (rounds.wanted) {
    rounds.again = true;
    await admitOnce(scope, ctx, request);
  }
  if (call.object !== undefined) checkManagedFields(ctx, call.object, before);
}

const BAD_OPERATION = 'must be `Apply` or `Update`';

/** Mutates: who owns what may be changed by who admits, but only into what can be read. */
function checkManagedFields(ctx: RequestContext, object: KubeObject, before: ManagedFieldsEntry[] | undefined): void {
  const { metadata } = object;
  if (metadata?.managedFields === undefined || metadata.managedFields === before) return;
  const errors = validateManagedFields(metadata.managedFields, path('metadata', 'managedFields'));
  if (errors.length > 0) {
    const texts = errors.map(error =>
      formatFieldError(error).endsWith(BAD_OPERATION) ? `operation ${BAD_OPERATION}` : formatFieldError(error),
    );
    const text = texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`;
    ctx.warn(
      `.metadata.managedFields was in an invalid state after admission; this could be caused by an outdated mutating admission controller; please fix your requests: ${text}`,
    );
    setMember(metadata as Record<string, unknown>, 'managedFields', before);
  }
  if (metadata.managedFields === undefined || metadata.managedFields.length === 0) delete metadata.managedFields;
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
