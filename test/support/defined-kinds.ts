import type { Test } from 'tap';
import type { CatalogEntry } from '../../src/api/catalog.js';
import { loadApi } from '../../src/api/load.js';
import { createTurns } from '../../src/machinery/turns.js';
import { createStrategies } from '../../src/kinds/index.js';
import type { KubeObject } from '../../src/machinery/types.js';
import { selfContext } from '../../src/server/bootstrap/ensure.js';
import { createCustomResources } from '../../src/server/custom-resources/custom-resources.js';
import { findCondition } from '../../src/server/custom-resources/conditions.js';
import { DEFINITIONS, type Definition } from '../../src/server/custom-resources/definition.js';
import type { EntryOptions } from '../../src/server/custom-resources/entries.js';
import type { KvStore } from '../../src/storage/kv-store.js';
import { kindDeps } from './kind-deps.js';
import { fixture, type Fixture } from './registries.js';
import { until } from './until.js';

export interface DefinedKinds extends Fixture {
  /** Creates a definition. */
  define(definition: KubeObject): Promise<void>;
  definition(name: string): Definition | undefined;
  /** The conditions of a definition: "Established=True InitialNamesAccepted". */
  conditions(name: string): string[];
  established(name: string): Promise<void>;
  entry(group: string, version: string, plural: string): CatalogEntry;
}

const LOG = { error: () => undefined, warn: () => undefined, info: () => undefined, debug: () => undefined };

/** Registries whose custom resources come from definitions in the store, as in a server. */
export async function definedKinds(
  t: Test,
  options: { readonly store?: KvStore; readonly converterOf?: EntryOptions['converterOf'] } = {},
): Promise<DefinedKinds> {
  const { store, converterOf } = options;
  const f = await fixture({ strategies: createStrategies(kindDeps()), ...(store === undefined ? {} : { store }) });
  const { catalog, registries, clock } = f;
  const objectMeta = loadApi().type('meta.v1.ObjectMeta');
  if (objectMeta === undefined) throw new Error('api-schemas/ has no ObjectMeta');
  const ctx = selfContext(registries.objects, clock, f.context().signal);
  const turns = createTurns(clock);
  const more = converterOf === undefined ? {} : { converterOf };
  const custom = createCustomResources({ catalog, registries, clock, turns, log: LOG, ctx, objectMeta, ...more });
  t.teardown(() => f.close());
  await custom.serve();
  custom.maintain();
  const definition = (name: string): Definition | undefined =>
    registries.objects.get(DEFINITIONS, { namespace: '', name });
  return {
    ...f,
    definition,
    async define(object) {
      await registries.objects.create(ctx, DEFINITIONS, object);
    },
    conditions: name =>
      (definition(name)?.status?.conditions ?? []).map(({ type, status, reason }) => `${type}=${status} ${reason}`),
    established: name =>
      until(`${name} is established`, () => {
        const found = definition(name);
        return found !== undefined && findCondition(found, 'Established')?.status === 'True';
      }),
    entry(group, version, plural) {
      const entry = catalog.find(group, version, plural);
      if (entry === undefined) throw new Error(`no ${plural} in ${group}/${version}`);
      return entry;
    },
  };
}

export interface Asked {
  readonly plural?: string;
  readonly kind?: string;
  readonly shortNames?: readonly string[];
  readonly group?: string;
  readonly scope?: string;
  readonly spec?: object;
  readonly versions?: readonly object[];
}

/** widgets.example.org, unless said otherwise. */
export function definitionOf(asked: Asked = {}): KubeObject {
  const { group = 'example.org', plural = 'widgets', kind = 'Widget', shortNames, scope = 'Namespaced' } = asked;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope,
      names: { plural, kind, ...(shortNames === undefined ? {} : { shortNames }) },
      versions: asked.versions ?? [versionOf('v1')],
      ...asked.spec,
    },
  };
}

export const OPEN = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

export const versionOf = (name: string, more: object = {}): object => ({
  name,
  served: true,
  storage: name === 'v1',
  schema: { openAPIV3Schema: OPEN },
  ...more,
});

export const widget = (name: string, more: object = {}): KubeObject => ({
  apiVersion: 'example.org/v1',
  kind: 'Widget',
  metadata: { name },
  ...more,
});
