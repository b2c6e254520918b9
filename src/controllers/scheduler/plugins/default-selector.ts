import type { Indexer } from '../../../client/types.js';
import { selectorFromLabels, selectorOf, type Selector } from '../../../machinery/labels.js';
import type { Requirement } from '../../../machinery/label-requirement.js';
import type { ReplicaSet, ReplicationController, Service, StatefulSet } from '../../../machinery/types.js';
import { selectingCandidates } from '../../label-index.js';
import { controllerOf } from '../../ownership.js';
import { selectorOrNothing, type ReadonlyPod } from '../pod-info.js';

export interface SelectorSources {
  readonly services: Indexer<Service>;
  readonly replicationControllers: Indexer<ReplicationController>;
  readonly replicaSets: Indexer<ReplicaSet>;
  readonly statefulSets: Indexer<StatefulSet>;
}

/** The Pods that are like this one: of the same Services and the same controller (helper/spread.go DefaultSelector). */
export function defaultSelector(pod: ReadonlyPod, sources: SelectorSources): Selector {
  const namespace = pod.metadata.namespace ?? '';
  const labels: Record<string, string> = {};
  for (const { spec } of selectingCandidates(sources.services, pod))
    if (spec?.selector !== undefined && selectorFromLabels(spec.selector).matches(pod.metadata.labels))
      Object.assign(labels, spec.selector);
  const owner = controllerOf(pod);
  const key = `${namespace}/${owner?.name ?? ''}`;
  let more: readonly Requirement[] = [];
  if (owner?.apiVersion === 'v1' && owner.kind === 'ReplicationController')
    Object.assign(labels, sources.replicationControllers.get(key)?.spec?.selector);
  else if (owner?.apiVersion === 'apps/v1' && (owner.kind === 'ReplicaSet' || owner.kind === 'StatefulSet')) {
    const source = owner.kind === 'ReplicaSet' ? sources.replicaSets : sources.statefulSets;
    const selector = source.get(key)?.spec?.selector;
    if (selector !== undefined) more = selectorOrNothing(selector).requirements;
  }
  return selectorOf([...selectorFromLabels(labels).requirements, ...more]);
}
