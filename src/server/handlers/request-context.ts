import type { RequestContext, WriteOptions } from '../../api/strategy.js';
import { notAllowedError } from '../auth/forbidden.js';
import type { ApiContext } from '../pipeline/context.js';
import type { Exchange } from '../pipeline/exchange.js';

const READ_ONLY: WriteOptions = { dryRun: false, fieldManager: '', fieldValidation: 'Ignore' };

/** The request as strategies, admission and registries see it. */
export const requestContext = (
  exchange: Exchange,
  context: ApiContext,
  options: WriteOptions = READ_ONLY,
): RequestContext => ({
  user: exchange.user,
  clock: context.clock,
  options,
  objects: context.objects,
  signal: exchange.request.signal,
  ...(exchange.deadlineMs === undefined ? {} : { deadlineMs: exchange.deadlineMs }),
  async mayCreate() {
    const attributes = { ...exchange.info, user: exchange.user, verb: 'create' };
    const { decision, reason } = context.authorizer.authorize(attributes);
    if (decision !== 'allow') throw notAllowedError(attributes, reason);
  },
  annotate: (key, value, detail) => exchange.audit?.annotate(key, value, detail),
  warn: text => void exchange.warnings.push(text),
});
