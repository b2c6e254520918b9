import { labelSelectorAsSelector, nothing, type Labels, type Selector } from '../../machinery/labels.js';
import { SelectorError } from '../../machinery/label-requirement.js';
import { parseQuantity, scaledValue } from '../../machinery/quantity.js';
import { podRequests } from '../../machinery/pod-requests.js';
import type { DeepReadonly, LabelSelector, Pod } from '../../machinery/types.js';
import { keyOf } from '../../client/types.js';

export type ReadonlyPod = DeepReadonly<Pod>;

/** Amounts by resource name: thousandths of a cpu, bytes, whole units of anything else. */
export type Amounts = ReadonlyMap<string, number>;

export const amountsOf = (list: Readonly<Record<string, string>>): Map<string, number> =>
  new Map(
    Object.entries(list).map(([name, text]) => [
      name,
      Number(scaledValue(parseQuantity(text), name === 'cpu' ? -3 : 0)),
    ]),
  );

/** A Pod (anti-)affinity term, read. */
export interface AffinityTerm {
  /** Equal for terms that select the same Pods. */
  readonly key: string;
  readonly topologyKey: string;
  readonly namespaces: ReadonlySet<string>;
  readonly namespaceSelector: Selector;
  readonly selector: Selector;
  readonly weight: number;
}
interface TermObject {
  readonly topologyKey: string;
  readonly namespaces?: readonly string[];
  readonly namespaceSelector?: DeepReadonly<LabelSelector>;
  readonly labelSelector?: DeepReadonly<LabelSelector>;
}

/** A selector that the server would have refused selects nothing. */
export function selectorOrNothing(selector: DeepReadonly<LabelSelector> | undefined): Selector {
  try {
    return labelSelectorAsSelector(selector);
  } catch (error) {
    if (error instanceof SelectorError) return nothing;
    throw error;
  }
}

function readTerm(pod: ReadonlyPod, term: TermObject, weight: number): AffinityTerm {
  const { topologyKey, namespaces = [], namespaceSelector, labelSelector } = term;
  const own = namespaces.length === 0 && namespaceSelector === undefined;
  return withKey({
    topologyKey,
    weight,
    namespaces: new Set(own ? [pod.metadata.namespace ?? ''] : namespaces),
    namespaceSelector: selectorOrNothing(namespaceSelector),
    selector: selectorOrNothing(labelSelector),
  });
}

const textOf = (selector: Selector): string => `${selector.selectable ? '' : 'nothing'}${selector.toString()}`;

export function withKey(term: Omit<AffinityTerm, 'key'>): AffinityTerm {
  const { namespaces, namespaceSelector, selector } = term;
  return { ...term, key: [[...namespaces].sort().join(), textOf(namespaceSelector), textOf(selector)].join('\n') };
}

export const matchesTerm = (term: AffinityTerm, pod: ReadonlyPod, namespaceLabels: Labels): boolean =>
  (term.namespaces.has(pod.metadata.namespace ?? '') || term.namespaceSelector.matches(namespaceLabels)) &&
  term.selector.matches(pod.metadata.labels);

export interface Affinity {
  readonly required: readonly AffinityTerm[];
  readonly preferred: readonly AffinityTerm[];
  readonly requiredAnti: readonly AffinityTerm[];
  readonly preferredAnti: readonly AffinityTerm[];
}

function readAffinity(pod: ReadonlyPod): Affinity {
  const { podAffinity, podAntiAffinity } = pod.spec?.affinity ?? {};
  const required = (terms: readonly TermObject[] = []): AffinityTerm[] => terms.map(term => readTerm(pod, term, 1));
  const preferred = (
    terms: readonly { readonly weight: number; readonly podAffinityTerm: TermObject }[] = [],
  ): AffinityTerm[] => terms.map(({ weight, podAffinityTerm }) => readTerm(pod, podAffinityTerm, weight));
  return {
    required: required(podAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    preferred: preferred(podAffinity?.preferredDuringSchedulingIgnoredDuringExecution),
    requiredAnti: required(podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    preferredAnti: preferred(podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution),
  };
}

export interface HostPort {
  readonly ip: string;
  readonly protocol: string;
  readonly port: number;
}

/** Ports of the node that containers which run beside each other take. */
function readHostPorts({ spec }: ReadonlyPod): HostPort[] {
  const sidecars = (spec?.initContainers ?? []).filter(container => container.restartPolicy === 'Always');
  return [...(spec?.containers ?? []), ...sidecars].flatMap(container =>
    (container.ports ?? []).flatMap(({ hostPort = 0, protocol = 'TCP', hostIP = '' }) =>
      hostPort > 0 ? [{ ip: hostIP === '' ? '0.0.0.0' : hostIP, protocol, port: hostPort }] : [],
    ),
  );
}

/** What a container that asks for nothing counts as when nodes are compared (upstream util/pod_resources.go). */
const ASSUMED = { cpu: '100m', memory: '200Mi' };

/** A Pod with what scheduling asks of it worked out once. */
export interface PodInfo {
  /** The newest one of the cache; what the rest was worked out from holds for it too. */
  pod: ReadonlyPod;
  readonly id: string;
  readonly key: string;
  readonly namespace: string;
  readonly priority: number;
  readonly requests: Amounts;
  readonly countedRequests: Amounts;
  readonly hostPorts: readonly HostPort[];
  readonly affinity: Affinity;
}

export function createPodInfo(pod: ReadonlyPod): PodInfo {
  const affinity = readAffinity(pod);
  const key = keyOf(pod);
  return {
    pod,
    id: pod.metadata.uid ?? key,
    key,
    namespace: pod.metadata.namespace ?? '',
    priority: pod.spec?.priority ?? 0,
    requests: amountsOf(podRequests(pod)),
    countedRequests: amountsOf(podRequests(pod, ASSUMED)),
    hostPorts: readHostPorts(pod),
    affinity,
  };
}

/** Equal for versions of a Pod that mean the same to the scheduler: most updates are of status alone. */
export function schedulingFacts({ metadata, status }: ReadonlyPod): string {
  const resources = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])].map(
    ({ resources, allocatedResources }) => [resources, allocatedResources],
  );
  return JSON.stringify([metadata.labels, metadata.deletionTimestamp, metadata.generation, resources]);
}
