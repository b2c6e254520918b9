import type { DeepReadonly, KubeObject } from '../../machinery/types.js';
import type { CatalogEntry } from '../../resources/catalog.js';
import type { RequestContext, ValidationContext } from '../../resources/strategy.js';
import { check, type Write } from './check.js';

/**
 * Says what is wrong with an object, and what to warn of. Where that is found out is not the caller's business.
 * @throws StatusError 422
 */
export type Validator = (entry: CatalogEntry, ctx: RequestContext, write: Write) => string[] | Promise<string[]>;

export const namespaceOf = (
  ctx: RequestContext,
  object: DeepReadonly<KubeObject>,
): DeepReadonly<KubeObject> | undefined => {
  const { namespace = '' } = object.metadata;
  return namespace === '' ? undefined : ctx.objects.get('namespaces', { namespace: '', name: namespace });
};

export const validateHere: Validator = (entry, ctx, write) => {
  const known: ValidationContext = { namespace: () => namespaceOf(ctx, write.object) };
  return check(entry, known, write);
};
