import type { ApiContext } from '../pipeline/context.js';
import type { Answer, Exchange, ResourceRoute } from '../pipeline/exchange.js';

export type Handler = (exchange: Exchange, route: ResourceRoute, context: ApiContext) => Promise<Answer>;
