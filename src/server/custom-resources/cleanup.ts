import type { Clock } from '../../machinery/clock.js';
import type { RequestContext } from '../../api/strategy.js';
import type { Registries } from '../registry/create-registries.js';
import { isTrue, setCondition } from './conditions.js';
import { CLEANUP_FINALIZER, type Condition, type CustomResourceDefinition, type Definition } from './definition.js';
import type { DefinitionWriter } from './definition-status.js';
import type { CustomKind } from './entries.js';

type Terminating = Pick<Condition, 'status' | 'reason' | 'message'>;

/** How long the objects of a definition are waited for before somebody is told; then it begins anew. */
const WAIT_MS = 60_000;

export interface CleanupOptions {
  readonly registries: Pick<Registries, 'unadmitted' | 'follow' | 'count' | 'load'>;
  readonly writer: DefinitionWriter;
  readonly clock: Clock;
  readonly ctx: RequestContext;
}

export const wantsCleanup = ({ metadata }: Definition): boolean =>
  metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).includes(CLEANUP_FINALIZER);

/**
 * Before a definition goes, its objects do. Source: apiextensions-apiserver pkg/controller/finalizer.
 * @throws what went wrong with the objects, after the definition says so
 */
export async function cleanUp(
  definition: Definition,
  kind: CustomKind | undefined,
  options: CleanupOptions,
): Promise<void> {
  const { writer, clock } = options;
  const say = (condition: Terminating) => (changed: CustomResourceDefinition) =>
    setCondition(changed, { type: 'Terminating', ...condition }, clock.now());
  await writer.updateStatus(
    definition,
    say({
      status: 'True',
      reason: 'InstanceDeletionInProgress',
      message: 'CustomResource deletion is in progress',
    }),
  );
  let outcome: Terminating = {
    status: 'False',
    reason: 'NeverEstablished',
    message: 'resource was never established',
  };
  if (isTrue(definition, 'Established') && kind !== undefined) {
    const failed = await deleteAll(kind, options);
    if (failed !== undefined) {
      await writer.updateStatus(definition, say({ status: 'True', reason: failed.reason, message: failed.message }));
      throw new Error(failed.message);
    }
    outcome = { status: 'False', reason: 'InstanceDeletionCompleted', message: 'removed all instances' };
  }
  await writer.finalize(definition, changed => {
    say(outcome)(changed);
    const { metadata } = changed;
    const rest = (metadata.finalizers ?? []).filter(name => name !== CLEANUP_FINALIZER);
    if (rest.length > 0) metadata.finalizers = rest;
    else delete metadata.finalizers;
  });
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** undefined: nothing is left. */
async function deleteAll(
  { storage }: CustomKind,
  { registries, clock, ctx }: CleanupOptions,
): Promise<{ readonly reason: string; readonly message: string } | undefined> {
  const registry = registries.unadmitted(storage);
  await registries.load(storage);
  const failures: string[] = [];
  let items;
  try {
    ({ items } = await registry.list(ctx, '', {}));
  } catch (error) {
    return { reason: 'InstanceDeletionFailed', message: `could not list instances: ${textOf(error)}` };
  }
  for (const namespace of new Set(items.map(({ key }) => key.namespace))) {
    try {
      await registry.deleteCollection(ctx, namespace, { dryRun: false }, {});
    } catch (error) {
      failures.push(textOf(error));
    }
  }
  if (failures.length > 0) {
    const all = failures.length === 1 ? failures.join('') : `[${failures.join(', ')}]`;
    return { reason: 'InstanceDeletionFailed', message: `could not issue all deletes: ${all}` };
  }
  if (await emptied(storage, registries, clock, ctx.signal)) return undefined;
  const message = 'could not confirm zero CustomResources remaining: timed out waiting for the condition';
  return { reason: 'InstanceDeletionCheck', message };
}

/** Whether the last object goes in time: some wait for their own finalizers. */
function emptied(
  storage: CustomKind['storage'],
  registries: Pick<Registries, 'follow' | 'count'>,
  clock: Clock,
  signal: AbortSignal,
): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const settle = (done: () => void): void => {
      unfollow();
      cancel();
      signal.removeEventListener('abort', stop);
      done();
    };
    const look = (): void => {
      if (registries.count(storage) === 0) settle(() => resolve(true));
    };
    const stop = (): void => settle(() => reject(signal.reason as Error));
    const cancel = clock.after(WAIT_MS, () => settle(() => resolve(false)), { unref: true });
    signal.addEventListener('abort', stop, { once: true });
    const unfollow = registries.follow(storage, { events: look, ended: () => settle(() => resolve(false)) });
    look();
  });
}
