import type { Turns } from '../../machinery/turns.js';
import type { MutableCatalog } from '../../api/create-catalog.js';
import type { Api } from '../../api/load.js';
import type { RequestContext } from '../../api/strategy.js';
import { createDefinitionConverter } from '../conversion/definition-converter.js';
import type { ConversionMetrics } from '../conversion/metrics.js';
import { createCustomResources, type CustomResources } from '../custom-resources/custom-resources.js';
import type { Registries } from '../registry/create-registries.js';
import type { CallWebhook } from '../webhook-client/call.js';
import type { Settings } from './settings.js';

export interface CustomResourceParts {
  readonly api: Api;
  readonly catalog: MutableCatalog;
  readonly registries: Registries;
  readonly turns: Turns;
  /** The server acting for itself. */
  readonly ctx: RequestContext;
  readonly call: CallWebhook;
  readonly metrics: ConversionMetrics;
}

/** Kinds that come at run time, with the webhooks that convert their objects. */
export function composeCustomResources(
  { clock, random, log }: Settings,
  { api, catalog, registries, turns, ctx, call, metrics }: CustomResourceParts,
): CustomResources {
  const objectMeta = api.type('meta.v1.ObjectMeta');
  if (objectMeta === undefined) throw new Error('api-schemas/ has no ObjectMeta');
  const converterOf = createDefinitionConverter({ call, clock, uuid: () => random.uuid(), metrics });
  return createCustomResources({ catalog, registries, clock, turns, log, ctx, objectMeta, converterOf });
}
