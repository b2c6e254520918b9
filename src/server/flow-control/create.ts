import { Buffer } from 'node:buffer';
import type { Clock } from '../../machinery/clock.js';
import type { Logger } from '../../machinery/logger.js';
import type { Catalog } from '../../api/catalog.js';
import { selfContext } from '../bootstrap/ensure.js';
import type { Registries } from '../registry/create-registries.js';
import type { Mandatory } from './configuration.js';
import { createFlowControl, type FlowControl } from './flow-control.js';
import { followObjects, SCHEMAS, type DanglingCondition, type Follower } from './follow.js';
import { createStoredSizes } from './stored-sizes.js';

/** How the server appears in what it writes about schemas. */
const MANAGER = 'api-priority-and-fairness-config-consumer-v1';

export interface CreateOptions {
  readonly registries: Registries;
  readonly catalog: Pick<Catalog, 'preferred'>;
  readonly mandatory: Mandatory;
  readonly serverLimit: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

export interface FollowingFlowControl extends FlowControl {
  /** From now on the stored objects count. */
  follow(): void;
}

/** Priority and fairness over the registries. */
export function createFollowingFlowControl(options: CreateOptions): FollowingFlowControl {
  const { registries, catalog, clock, log, signal } = options;
  let follower: Follower | undefined;
  const control = createFlowControl({
    clock,
    serverLimit: options.serverLimit,
    mandatory: options.mandatory,
    onQuiet: () => follower?.poke(),
    stored: createStoredSizes(clock, (group, resource) => {
      const entry = catalog.preferred(group === '' ? resource : `${resource}.${group}`);
      if (entry?.info.stored !== true) return undefined;
      return { count: registries.count(entry), sizes: () => registries.sizes(entry) };
    }),
  });

  const writeCondition = async (name: string, condition: DanglingCondition): Promise<void> => {
    const entry = catalog.preferred(SCHEMAS);
    if (entry === undefined) return;
    const { group, version, kind } = entry.info;
    const patch = { apiVersion: `${group}/${version}`, kind, metadata: { name }, status: { conditions: [condition] } };
    const request = {
      type: 'apply' as const,
      force: true,
      raw: Buffer.from(JSON.stringify(patch)),
      *decode() {
        return { patch, duplicateKeys: [] };
      },
    };
    const ctx = selfContext(registries.objects, clock, signal, MANAGER);
    await registries.get(entry).patch(ctx, { namespace: '', name }, request, 'status');
  };

  return {
    ...control,
    follow() {
      follower = followObjects({
        objects: registries.objects,
        configuration: control.configuration,
        clock,
        signal,
        writeCondition,
        onChange(resource, changed) {
          const entry = catalog.preferred(resource);
          if (entry !== undefined) registries.onChange(entry, changed, signal);
        },
        onError: err => log.error({ err }, "could not write a flow schema's status"),
      });
    },
  };
}
