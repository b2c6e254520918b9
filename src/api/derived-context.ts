import type { RequestContext } from './strategy.js';

/** The same request with something else about it. A copy would lack what a context does by methods and getters. */
export const derivedContext = (ctx: RequestContext, changes: Partial<RequestContext>): RequestContext =>
  Object.assign(Object.create(ctx) as RequestContext, changes);
