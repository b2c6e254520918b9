import type { Turns } from '../../machinery/turns.js';
import type { DeepReadonly, KubeObject } from '../../machinery/types.js';
import type { CatalogEntry } from '../../api/catalog.js';
import type { RequestContext, ValidationContext } from '../../api/strategy.js';
import { atOnce, inTurns } from '../../machinery/steps.js';
import type { CheckedWrite } from '../../api/kind-schema.js';
import { check } from './check.js';

/**
 * Says what is wrong with an object, and what to warn of. Where that is found out is not the caller's business.
 * @throws StatusError 422
 */
export type Validator = (entry: CatalogEntry, ctx: RequestContext, write: CheckedWrite) => string[] | Promise<string[]>;

export const namespaceOf = (
  ctx: RequestContext,
  object: DeepReadonly<KubeObject>,
): DeepReadonly<KubeObject> | undefined => {
  const { namespace = '' } = object.metadata;
  return namespace === '' ? undefined : ctx.objects.get('namespaces', { namespace: '', name: namespace });
};

export const validateHere: Validator = (entry, ctx, write) => {
  const known: ValidationContext = { namespace: () => namespaceOf(ctx, write.object) };
  const { schema } = entry;
  const errors = schema.validate === undefined ? [] : atOnce(schema.validate(write, text => ctx.warn(text)));
  return check(entry, known, write, errors);
};

/** As validateHere; others have their turn of the event loop while a big object is looked at. */
export async function validateInSteps(
  entry: CatalogEntry,
  ctx: RequestContext,
  write: CheckedWrite,
  turns: Turns,
): Promise<string[]> {
  const known: ValidationContext = { namespace: () => namespaceOf(ctx, write.object) };
  const { schema } = entry;
  const steps = schema.validate?.(write, text => ctx.warn(text));
  return check(entry, known, write, steps === undefined ? [] : await inTurns(steps, turns));
}
