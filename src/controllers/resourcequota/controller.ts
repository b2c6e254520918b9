import { discoverPreferred } from '../../client/discovery.js';
import { PERSISTENT_VOLUME_CLAIMS, PODS, RESOURCE_QUOTAS, SERVICES } from '../../client/resources.js';
import { keyOf, splitKey, type Informer, type ResourceRef } from '../../client/types.js';
import type { QuotaEvaluator } from '../../machinery/quota/evaluator.js';
import { equalLists, type ResourceList } from '../../machinery/quota/resource-list.js';
import { calculateUsage, evaluatorOf } from '../../machinery/quota/usage.js';
import { qualified } from '../../machinery/status.js';
import type { DeepReadonly, KubeObject, ResourceQuota } from '../../machinery/types.js';
import type { ControllerDefinition } from '../controller.js';

/** Everything is counted anew this often, whatever was missed. */
const DISCOVERY_MS = 30_000;
/** All quotas are counted anew every five minutes. */
const RESYNC_ROUNDS = 10;

/** Resources with more to count than how many there are: their objects are needed whole. */
const WHOLE: readonly ResourceRef[] = [PODS, SERVICES, PERSISTENT_VOLUME_CLAIMS];

interface Tracked {
  readonly evaluator: QuotaEvaluator;
  readonly informer: Informer<KubeObject>;
  readonly ref: ResourceRef;
  readonly untrack: () => void;
}

/**
 * Counts what every ResourceQuota limits (pkg/controller/resourcequota). The admission plugin charges what is made;
 * this makes good what goes away, and what was there before the quota. Resources are watched once a quota names them.
 */
export const resourceQuotaController: ControllerDefinition = {
  name: 'resourcequota-controller',
  aliases: ['resourcequota'],
  workers: 5,
  build({ client, informers, queue, clock, signal, log }) {
    const quotas = informers.informer<ResourceQuota>(RESOURCE_QUOTAS);
    const writer = client.resource<ResourceQuota>(RESOURCE_QUOTAS);
    const tracked = new Map<string, Tracked>();
    /** By quota: the version written last. */
    const written = new Map<string, bigint>();

    const queueNamespace = (
      namespace: string,
      evaluator: QuotaEvaluator,
      concerned: (quota: DeepReadonly<ResourceQuota>) => boolean = () => true,
    ): void => {
      for (const quota of quotas.indexer.byIndex('namespace', namespace))
        if (concerned(quota) && evaluator.matchingResources(Object.keys(quota.spec?.hard ?? {})).length > 0)
          queue.add(keyOf(quota));
    };
    const track = (ref: ResourceRef): Tracked | undefined => {
      const id = qualified(ref);
      const known = tracked.get(id);
      const evaluator = evaluatorOf(id);
      if (known !== undefined || evaluator === undefined) return known;
      const metadataOnly = !WHOLE.includes(ref);
      const informer = informers.informer<KubeObject>(ref, { metadataOnly });
      const uses = (object: DeepReadonly<KubeObject>): ResourceList => evaluator.usage(object, clock.now());
      const unhear = informer.addHandler({
        add(object) {
          // Admission charges what is made under a counted quota. What was made before, but shows only now, was missed.
          const version = BigInt(object.metadata.resourceVersion ?? '0');
          const missed = (quota: DeepReadonly<ResourceQuota>): boolean => version < (written.get(keyOf(quota)) ?? 0n);
          queueNamespace(object.metadata.namespace ?? '', evaluator, missed);
        },
        update(old, object) {
          if (!metadataOnly && !equalLists(uses(old), uses(object)))
            queueNamespace(object.metadata.namespace ?? '', evaluator);
        },
        delete: object => queueNamespace(object.metadata.namespace ?? '', evaluator),
      });
      const untrack = (): void => {
        unhear();
        informers.release?.(ref, { metadataOnly });
        tracked.delete(id);
      };
      const entry = { evaluator, informer, ref, untrack };
      tracked.set(id, entry);
      return entry;
    };
    for (const ref of WHOLE) track(ref);

    quotas.addHandler({
      add: quota => queue.add(keyOf(quota)),
      update(old, quota) {
        if (!equalLists(old.spec?.hard ?? {}, quota.spec?.hard ?? {})) queue.add(keyOf(quota));
      },
      delete: quota => written.delete(keyOf(quota)),
    });

    /** Kinds come and go at run time, and change the version that they are known by. */
    const followKinds = async (): Promise<void> => {
      if ([...tracked.values()].every(({ ref }) => WHOLE.includes(ref))) return;
      const { resources, failing } = await discoverPreferred(client);
      const failed = new Set(failing.map(gv => gv.split('/')[0] ?? ''));
      const served = new Map(resources.map(({ ref }) => [qualified(ref), ref]));
      for (const [id, { ref, untrack }] of [...tracked]) {
        const now = served.get(id);
        if (WHOLE.includes(ref) || failed.has(ref.group) || now?.version === ref.version) continue;
        untrack();
        if (now !== undefined) track(now);
      }
    };

    /** What counts towards these names; a name of a resource that is not served counts nothing and is not reported. */
    const trackedFor = async (names: readonly string[]): Promise<Tracked[]> => {
      const matches = ({ evaluator }: Tracked): boolean => evaluator.matchingResources(names).length > 0;
      const covered = (): Set<string> =>
        new Set([...tracked.values()].flatMap(({ evaluator }) => evaluator.matchingResources(names)));
      if (names.some(name => !covered().has(name)))
        for (const { ref } of (await discoverPreferred(client)).resources) {
          const evaluator = ref.namespaced ? evaluatorOf(qualified(ref)) : undefined;
          if (evaluator !== undefined && evaluator.matchingResources(names).length > 0) track(ref);
        }
      const found = [...tracked.values()].filter(matches);
      await Promise.all(found.map(({ informer }) => informer.whenSynced(signal)));
      return found;
    };

    return {
      async reconcile(key) {
        const quota = quotas.indexer.get(key);
        if (quota === undefined) return;
        const hard: ResourceList = quota.spec?.hard ?? {};
        const counted = await trackedFor(Object.keys(hard));
        const byResource = new Map(counted.map(({ evaluator, informer }) => [evaluator.resource, informer]));
        const { namespace } = splitKey(key);
        const usage = calculateUsage(
          quota.spec ?? {},
          counted.map(({ evaluator }) => evaluator),
          resource => byResource.get(resource)?.indexer.byIndex('namespace', namespace) ?? [],
          clock.now(),
        );
        // What others said is used of names that nothing here counts is kept.
        const before: ResourceList = quota.status?.used ?? {};
        const kept = Object.entries(before).filter(([name]) => Object.hasOwn(hard, name));
        const used = { ...Object.fromEntries(kept), ...usage };
        const dirty =
          quota.status?.hard === undefined ||
          quota.status.used === undefined ||
          !equalLists(quota.status.hard, hard) ||
          !equalLists(before, used);
        if (!dirty) return;
        const status = { hard: { ...hard }, used };
        const updated = await writer.update({ ...(quota as ResourceQuota), status }, { subresource: 'status' });
        written.set(key, BigInt(updated.metadata.resourceVersion ?? '0'));
      },
      async background() {
        for (let round = 1; !signal.aborted; round++) {
          await clock.sleep(DISCOVERY_MS, signal).catch(() => undefined);
          try {
            await followKinds();
          } catch (error) {
            if (!signal.aborted) log.warn({ error: (error as Error).message }, 'discovery failed, will retry');
          }
          if (round % RESYNC_ROUNDS !== 0) continue;
          for (const quota of quotas.indexer.list()) queue.add(keyOf(quota));
        }
      },
    };
  },
};
