import type { DiscoveredResource } from '../../client/discovery.js';
import { resourcePath } from '../../client/rest-client.js';
import type { Client, ResourceRef } from '../../client/types.js';
import { isStatusError } from '../../machinery/status.js';
import type { DeepReadonly, KubeObject, Pod } from '../../machinery/types.js';
import { isTerminal } from '../pods.js';
import type { Problems } from './conditions.js';

/** How long the finalizers of what remains may take, as nobody knows. */
const FINALIZER_ESTIMATE_SECONDS = 15;

/** What is left of a namespace after everything was asked to go. */
export interface Remaining {
  /** Instances by "resource.group". */
  readonly counts: Map<string, number>;
  readonly finalizers: Map<string, number>;
  /** How long what is left may take by itself; 0: nothing says that it goes. */
  estimateSeconds: number;
}

export interface Emptying {
  readonly client: Client;
  readonly namespace: string;
  /** Milliseconds since the namespace's deletionTimestamp. */
  readonly sinceMs: number;
  readonly remaining: Remaining;
  readonly errors: string[];
}

const isPods = ({ ref }: DiscoveredResource): boolean => ref.group === '' && ref.resource === 'pods';

const isUnsupported = (error: unknown): boolean =>
  isStatusError(error, 'NotFound') || isStatusError(error, 'MethodNotAllowed');

const gvr = ({ group, version, resource }: ResourceRef): string => `${group}/${version}, Resource=${resource}`;

const objects = async ({ client, namespace }: Emptying, ref: ResourceRef): Promise<readonly KubeObject[]> =>
  (await client.resource<KubeObject>(ref).list({ namespace })).items;

/** Seconds that running Pods may still take; 0 when they had their time. */
function podEstimate(pods: readonly DeepReadonly<Pod>[], sinceMs: number): number {
  const graces = pods.filter(pod => !isTerminal(pod)).map(pod => pod.spec?.terminationGracePeriodSeconds ?? 0);
  const longest = Math.max(0, ...graces);
  return sinceMs >= longest * 1000 ? 0 : longest;
}

async function removeAll(emptying: Emptying, { ref, verbs }: DiscoveredResource): Promise<void> {
  const { client, namespace } = emptying;
  const propagationPolicy = 'Background';
  if (verbs.includes('deletecollection')) {
    const options = { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy };
    await client.request('DELETE', resourcePath(ref, namespace), options);
    return;
  }
  for (const item of await objects(emptying, ref))
    await client.resource(ref).delete({ namespace, name: item.metadata.name ?? '' }, { propagationPolicy });
}

async function empty(emptying: Emptying, resource: DiscoveredResource): Promise<void> {
  const { namespace, remaining, sinceMs } = emptying;
  const { ref, verbs } = resource;
  const add = (map: Map<string, number>, key: string, count: number): void => {
    map.set(key, (map.get(key) ?? 0) + count);
  };
  try {
    const estimate = isPods(resource) ? podEstimate(await objects(emptying, ref), sinceMs) : 0;
    await removeAll(emptying, resource);
    if (!verbs.includes('list')) return;
    const items = await objects(emptying, ref);
    if (items.length === 0) return;
    add(remaining.counts, `${ref.resource}.${ref.group}`, items.length);
    const finalizers = items.flatMap(item => item.metadata.finalizers ?? []);
    for (const finalizer of finalizers) add(remaining.finalizers, finalizer, 1);
    const expected = estimate > 0 ? estimate : finalizers.length > 0 ? FINALIZER_ESTIMATE_SECONDS : 0;
    remaining.estimateSeconds = Math.max(remaining.estimateSeconds, expected);
    if (expected === 0)
      throw new Error(`unexpected items still remain in namespace: ${namespace} for gvr: ${gvr(ref)}`);
  } catch (error) {
    if (!isUnsupported(error)) emptying.errors.push((error as Error).message);
  }
}

const listText = (counts: Map<string, number>, text: (name: string, count: number) => string): string =>
  [...counts]
    .map(([name, count]) => text(name, count))
    .sort()
    .join(', ');

function contentProblems({ remaining, errors }: Emptying, problems: Problems, complete: boolean): void {
  if (errors.length > 0)
    problems.set('NamespaceDeletionContentFailure', {
      reason: 'ContentDeletionFailed',
      message: `Failed to delete all resource types, ${errors.length} remaining: ${[...errors].sort().join(', ')}`,
    });
  if (complete && remaining.counts.size > 0)
    problems.set('NamespaceContentRemaining', {
      reason: 'SomeResourcesRemain',
      message: `Some resources are remaining: ${listText(remaining.counts, (name, n) => `${name} has ${n} resource instances`)}`,
    });
  if (complete && remaining.finalizers.size > 0)
    problems.set('NamespaceFinalizersRemaining', {
      reason: 'SomeFinalizersRemain',
      message: `Some content in the namespace has finalizers remaining: ${listText(remaining.finalizers, (name, n) => `${name} in ${n} resource instances`)}`,
    });
}

/**
 * Asks for the deletion of everything in a namespace, then looks at what is left. Pods go first, and everything else
 * only when they are gone: what protects them (network policies, say) must not go before them.
 * Source: namespaced_resources_deleter.go deleteAllContent.
 */
export async function deleteContent(
  client: Client,
  resources: readonly DiscoveredResource[],
  namespace: string,
  sinceMs: number,
  problems: Problems,
): Promise<Remaining> {
  const remaining: Remaining = { counts: new Map(), finalizers: new Map(), estimateSeconds: 0 };
  const emptying: Emptying = { client, namespace, sinceMs, remaining, errors: [] };
  for (const pods of resources.filter(isPods)) await empty(emptying, pods);
  const podsLeft = remaining.counts.size > 0;
  if (!podsLeft) await Promise.all(resources.filter(r => !isPods(r)).map(resource => empty(emptying, resource)));
  contentProblems(emptying, problems, !podsLeft);
  return remaining;
}
