import type { Clock } from '../../machinery/clock.js';
import type { Logger } from '../../machinery/logger.js';
import type { Turns } from '../../machinery/turns.js';
import type { CatalogEntry } from '../../api/catalog.js';
import type { MutableCatalog } from '../../api/create-catalog.js';
import type { RequestContext } from '../../api/strategy.js';
import type { CacheEvent } from '../../storage/event-history.js';
import type { Registries } from '../registry/create-registries.js';
import { API_SERVICES } from '../aggregation/api-service.js';
import { createApiServiceKeeper } from './api-services.js';
import { DEFINITIONS, nameOf, type Definition } from './definition.js';
import { createDefinitionWriter } from './definition-status.js';
import type { EntryOptions } from './entries.js';
import { createGroupMembers } from './group-members.js';
import { createKeyedWork } from './keyed-work.js';
import { createReconcile } from './reconcile.js';
import { createServedKinds } from './served-kinds.js';

export interface CustomResourcesOptions extends EntryOptions {
  readonly catalog: MutableCatalog;
  readonly registries: Registries;
  readonly clock: Clock;
  readonly turns: Turns;
  readonly log: Logger;
  /** The server acting for itself. */
  readonly ctx: RequestContext;
}

export interface CustomResources {
  /** From when it resolves on, every established definition is served, and those that come are. */
  serve(): Promise<void>;
  /** From now on definitions get names and conditions, deleted ones go, and APIServices follow. */
  maintain(): void;
}

/**
 * Definitions of custom resources, on their way into the catalog. One that is established is a catalog entry for each
 * version that it serves; nobody behind the catalog knows where an entry came from.
 */
export function createCustomResources(options: CustomResourcesOptions): CustomResources {
  const { catalog, registries, clock, log, ctx, turns } = options;
  const { signal, objects } = ctx;
  const writer = createDefinitionWriter(objects, ctx);
  const kinds = createServedKinds(catalog, registries, options);
  const services = createApiServiceKeeper(objects, ctx);
  const members = createGroupMembers();
  let maintaining = false;

  const entryOf = (resource: string): CatalogEntry => {
    const entry = catalog.preferred(resource);
    if (entry === undefined) throw new Error(`${resource} is not in api-schemas/`);
    return entry;
  };

  const failed = (error: unknown, what: string): void => log.error({ err: error }, `${what}: failed`);
  const reconcile = createReconcile({
    registries,
    writer,
    clock,
    ctx,
    kinds,
    fresh: () => objects.fresh?.(DEFINITIONS, ctx) ?? Promise.resolve(),
    membersOf: group => members.of(group),
    again: name => definitionWork.add(name),
  });
  const definitionWork = createKeyedWork({
    ...{ clock, name: 'custom resource definitions', signal, work: reconcile },
    onError: (error, name) => failed(error, `CustomResourceDefinition ${name}`),
  });
  const serviceWork = createKeyedWork({
    ...{ clock, name: 'APIs of custom resources', signal, work: name => services.reconcile(name) },
    onError: (error, name) => failed(error, `APIService ${name}`),
  });

  const take = async (changed: ReadonlyMap<string, Definition | undefined>): Promise<void> => {
    const done = kinds.update(changed);
    for (const [name, definition] of changed) members.note(name, definition);
    for (const [name, definition] of changed) {
      const touched = services.note(name, definition);
      if (!maintaining) continue;
      definitionWork.add(name);
      for (const service of touched) serviceWork.add(service);
    }
    await done;
  };

  /** Subscribes, and takes what there is; after a lost watch once more. */
  const followDefinitions = async (known: ReadonlySet<string>): Promise<void> => {
    const waiting: Promise<void>[] = [];
    registries.follow(entryOf(DEFINITIONS), {
      events(events) {
        const changed = new Map(events.map(({ object }) => [object.key.name, writer.get(object.key.name)]));
        take(changed).catch((error: unknown) => failed(error, 'serving custom resources'));
      },
      ended() {
        if (signal.aborted) return;
        const before = new Set([...writer.list()].map(nameOf));
        registries
          .load(entryOf(DEFINITIONS))
          .then(() => followDefinitions(before))
          .catch((error: unknown) => failed(error, 'following CustomResourceDefinitions'));
      },
    });
    for (const name of known) if (writer.get(name) === undefined) await take(new Map([[name, undefined]]));
    // There may be thousands. What changes meanwhile is told to the subscriber: here, too, the newest state is taken.
    for (const { metadata } of writer.list()) {
      const { name = '' } = metadata;
      if (turns.isOver()) await turns.next();
      waiting.push(take(new Map([[name, writer.get(name)]])));
    }
    await Promise.all(waiting);
  };

  const followServices = (): void => {
    const lookAt = (events: readonly CacheEvent[]): void => {
      for (const { object } of events) if (services.concerns(object.object)) serviceWork.add(object.key.name);
    };
    const ended = (): void => {
      if (signal.aborted) return;
      registries
        .load(entryOf(API_SERVICES))
        .then(followServices)
        .catch((error: unknown) => failed(error, 'following APIServices'));
    };
    registries.follow(entryOf(API_SERVICES), { events: lookAt, ended });
    for (const service of objects.list(API_SERVICES))
      if (services.concerns(service)) serviceWork.add(service.metadata.name ?? '');
  };

  return {
    serve: () => followDefinitions(new Set()),
    maintain() {
      maintaining = true;
      for (const definition of writer.list()) {
        definitionWork.add(nameOf(definition));
        for (const service of services.note(nameOf(definition), definition)) serviceWork.add(service);
      }
      followServices();
    },
  };
}
