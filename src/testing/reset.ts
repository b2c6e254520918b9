import { resourcePrefix } from '../storage/keys.js';
import type { KvStore } from '../storage/kv-store.js';
import type { ClusterTime } from './cluster-time.js';
import { mergedNode, ofRunningCluster } from './living-objects.js';
import { stateOf, transition, type Held, type StoreState } from './store-state.js';

/** What of a cluster in this process is put back. */
export interface Resettable {
  readonly store: KvStore;
  readonly api: { endWatches(): void; forgetHistory(): Promise<void> };
  readonly nodes: readonly {
    readonly agent:
      | { readonly pods: { discard(isDiscarded: (pod: PodIdentity) => boolean): Promise<void> } }
      | undefined;
  }[];
}

interface PodIdentity {
  readonly metadata: { readonly namespace?: string; readonly name?: string; readonly uid?: string };
}

export interface ResetOptions {
  /**
   * What watches of clients see: each deletion and change ('events', the default), or their end and a 410 when they come
   * back ('expired'), after which clients list anew.
   */
  readonly watches?: 'events' | 'expired';
  readonly time: Pick<ClusterTime, 'atOnce' | 'settled'>;
  /** Keys that stay as they are, or absent. Default: Leases. */
  readonly keeps?: (key: string) => boolean;
}

/** As often what comes back is removed again: what was under way at a reset is written once, not again and again. */
const PASSES = 5;
const PODS = resourcePrefix({ group: '', version: 'v1', resource: 'pods' });
const NODES = resourcePrefix({ group: '', version: 'v1', resource: 'nodes' });

/** What is to be there afterwards: `wanted`, but for what the cluster writes about itself as long as it lives. */
function target(now: StoreState, wanted: StoreState, keeps = ofRunningCluster.isLease): StoreState {
  const result = new Map<string, Held>(wanted);
  for (const [key, held] of now) if (keeps(key)) result.set(key, held);
  for (const [key, held] of wanted) {
    const living = now.get(key);
    if (keeps(key) && living === undefined) result.delete(key);
    else if (key.startsWith(NODES) && living !== undefined) result.set(key, mergedNode(held, living));
  }
  return result;
}

/** Only what is too much, or missing: what has been changed again is somebody's work on what there is. */
function strays(now: StoreState, wanted: StoreState): StoreState {
  const result = new Map<string, Held>();
  for (const [key, held] of wanted) result.set(key, now.get(key) ?? held);
  return result;
}

const uidsOf = (state: StoreState, prefix: string): Set<string> =>
  new Set(
    [...state].flatMap(([key, { value }]) =>
      key.startsWith(prefix)
        ? ((JSON.parse(Buffer.from(value).toString('utf8')) as PodIdentity).metadata.uid ?? [])
        : [],
    ),
  );

/** Makes the store hold that. @returns whether anything was to be changed */
async function commit(store: KvStore, now: StoreState, wanted: StoreState): Promise<boolean> {
  const commits = transition(now, wanted);
  for (const ops of commits) await store.commit([], ops);
  return commits.length > 0;
}

/** Nobody who watched can go on from where they were, also where nothing was to be changed. */
async function expireHistory({ store, api }: Resettable, before: StoreState, changed: boolean): Promise<void> {
  if (!changed)
    for (const [key, { value }] of [...before].slice(0, 1)) await store.commit([], [{ type: 'put', key, value }]);
  await api.forgetHistory();
}

/**
 * Puts a cluster back into a state that it, or another one, was in: objects that are not in it go at once, whatever their
 * finalizers and grace periods say, what was changed or deleted is there again, and Pods that are not in it end without a word.
 * Leases stay, and of Nodes what their agents say of them. Time does not go back, nor do files on the nodes' disks.
 * Resolves when nothing of what was under way has come back; proxies load their rules a moment later. @throws Error naming what comes back again and again
 */
export async function restoreState(cluster: Resettable, wanted: StoreState, options: ResetOptions): Promise<void> {
  const { store, api, nodes } = cluster;
  const { time } = options;
  const pods = uidsOf(wanted, PODS);
  const expired = options.watches === 'expired';
  await time.atOnce(async () => {
    if (expired) api.endWatches();
    const before = await stateOf(store);
    const changed = await commit(store, before, target(before, wanted, options.keeps));
    if (expired) await expireHistory(cluster, before, changed);
    await Promise.all(
      nodes.map(async ({ agent }) => agent?.pods.discard(({ metadata }) => !pods.has(metadata.uid ?? ''))),
    );
  });
  for (let pass = 1; pass <= PASSES; pass++) {
    await time.settled({ pauses: false });
    const now = await stateOf(store);
    if (!(await commit(store, now, strays(now, target(now, wanted, options.keeps))))) return;
  }
  const now = await stateOf(store);
  const left = [...now.keys()].filter(key => !target(now, wanted, options.keeps).has(key));
  if (left.length > 0) throw new Error(`made again after every reset: ${left.join(', ')}`);
}
