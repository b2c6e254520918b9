import { formatTime } from '../../../machinery/clock.js';
import { errorList } from '../../../machinery/field-error.js';
import { cloneJson, semanticEqual } from '../../../machinery/json-equal.js';
import type { DeepReadonly, KubeObject, LabelSelector, Pod, PodSpec, PodStatus } from '../../../machinery/types.js';
import { isDns1123Label, nameIsDnsSubdomain } from '../../../machinery/validation/names.js';
import { defaultPod, defaultPodSpec } from './pod-spec-defaults.js';
import type { PartSubresource, Strategy } from '../../../api/strategy.js';
import { checkMetadataAgain } from '../../validation/metadata.js';
import { podQos } from './validation/pod-qos.js';
import { checkEphemeralUpdate } from './validation/ephemeral-containers-update.js';
import { checkPodCreate } from './validation/pod.js';
import { checkPodResize } from './validation/pod-resize.js';
import { checkPodStatusUpdate } from './validation/pod-status-update.js';
import { checkPodUpdate } from './validation/pod-update.js';
import { syncAppArmor } from './app-armor.js';
import { podConnections } from './pod-connect.js';
import { podRow } from './pod-cells.js';
import { bindingAction, evictionAction } from './pod-actions.js';
import { podIpWarnings, podSpecWarnings } from './pod-warnings.js';

type ReadonlyPod = DeepReadonly<Pod>;
type Status = NonNullable<Pod['status']>;

const asPod = (object: DeepReadonly<KubeObject>): ReadonlyPod => object;

/** matchLabelKeys become expressions of the selector, with the values that this Pod's labels have. */
function expandLabelKeys(
  holder: { labelSelector?: LabelSelector; matchLabelKeys?: string[]; mismatchLabelKeys?: string[] },
  labels: Readonly<Record<string, string>> | undefined,
): void {
  const { labelSelector } = holder;
  if (labelSelector === undefined) return;
  const add = (keys: string[] | undefined, operator: string): void => {
    for (const key of keys ?? []) {
      const value = labels?.[key];
      if (value !== undefined) (labelSelector.matchExpressions ??= []).push({ key, operator, values: [value] });
    }
  };
  add(holder.matchLabelKeys, 'In');
  add(holder.mismatchLabelKeys, 'NotIn');
}

function expandAffinity(pod: Pod): void {
  const { labels } = pod.metadata;
  for (const kind of ['podAffinity', 'podAntiAffinity'] as const) {
    const affinity = pod.spec?.affinity?.[kind];
    for (const term of affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []) expandLabelKeys(term, labels);
    for (const { podAffinityTerm } of affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [])
      expandLabelKeys(podAffinityTerm, labels);
  }
}

/** A Pod with gates says from the start why nothing happens. */
const gatedCondition = {
  type: 'PodScheduled',
  status: 'False',
  reason: 'SchedulingGated',
  message: 'Scheduling is blocked due to non-empty scheduling gates',
  lastProbeTime: null as unknown as string,
};

const statusPart: PartSubresource = {
  kind: 'part',
  warnings: pod => podIpWarnings(asPod(pod)),
  prepareForUpdate(_ctx, object, old) {
    const pod = object as Pod;
    const before = asPod(old);
    delete pod.metadata.deletionTimestamp;
    // Old kubelets send owner references in a way that breaks garbage collection.
    const owners = before.metadata.ownerReferences;
    if (owners === undefined) delete pod.metadata.ownerReferences;
    else pod.metadata.ownerReferences = cloneJson(owners) as NonNullable<Pod['metadata']['ownerReferences']>;
    const status: Status = (pod.status ??= {});
    if (before.status?.qosClass !== undefined) status.qosClass ||= before.status.qosClass;
    if (before.status?.observedGeneration !== undefined) status.observedGeneration ||= before.status.observedGeneration;
    const generations = new Map((before.status?.conditions ?? []).map(c => [c.type, c.observedGeneration]));
    for (const condition of status.conditions ?? []) {
      const known = generations.get(condition.type);
      if (known !== undefined) condition.observedGeneration ||= known;
    }
  },
  validateUpdate(_ctx, object, old) {
    const out = errorList();
    checkPodStatusUpdate(out, asPod(object), asPod(old));
    return out;
  },
};

/** Everything of the stored Pod but what `keep` takes from the new one. */
function onlySpec(
  object: KubeObject,
  old: DeepReadonly<KubeObject>,
  keep: (spec: PodSpec, now: PodSpec) => void,
): void {
  const pod = object as Pod;
  const spec = cloneJson(asPod(old).spec) as PodSpec;
  keep(spec, (pod.spec ?? {}) as PodSpec);
  pod.spec = spec;
  pod.status = cloneJson(asPod(old).status) as Status;
  // metav1.ResetObjectMetaForStatus
  const { metadata } = pod;
  const before = cloneJson(old.metadata) as Pod['metadata'];
  for (const field of [
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
    'generation',
    'selfLink',
    'labels',
    'annotations',
    'finalizers',
    'ownerReferences',
  ] as const) {
    delete metadata[field];
    if (before[field] !== undefined) Object.assign(metadata, { [field]: before[field] });
  }
}

const ephemeralPart: PartSubresource = {
  kind: 'part',
  prepareForUpdate(_ctx, object, old) {
    onlySpec(object, old, (spec, now) => {
      if (now.ephemeralContainers === undefined) delete spec.ephemeralContainers;
      else spec.ephemeralContainers = now.ephemeralContainers;
    });
  },
  validateUpdate(_ctx, object, old) {
    const out = errorList();
    checkEphemeralUpdate(out, asPod(object), asPod(old));
    return out;
  },
};

type Containers = PodSpec['containers'];

/** False: containers were added, removed or renamed, which validation reports. */
function takeResources(now: Containers | undefined, into: Containers | undefined): boolean {
  if ((now ?? []).length !== (into ?? []).length) return false;
  return (into ?? []).every((container, i) => {
    const source = now?.[i];
    if (source?.name !== container.name) return false;
    container.resources = source.resources ?? {};
    if (source.resizePolicy === undefined) delete container.resizePolicy;
    else container.resizePolicy = source.resizePolicy;
    return true;
  });
}

const resizePart: PartSubresource = {
  kind: 'part',
  prepareForUpdate(_ctx, object, old) {
    const now = (object as Pod).spec;
    const trial = cloneJson(asPod(old).spec) as PodSpec;
    if (!takeResources(now?.containers, trial.containers)) return;
    if (!takeResources(now?.initContainers, trial.initContainers)) return;
    onlySpec(object, old, (spec, resized) => {
      takeResources(resized.containers, spec.containers);
      takeResources(resized.initContainers, spec.initContainers);
    });
  },
  validateUpdate(_ctx, object, old) {
    const out = errorList();
    checkPodResize(out, asPod(object), asPod(old));
    return out;
  },
};

const INIT_CONTAINER_ANNOTATIONS = ['beta', 'alpha'].flatMap(stage =>
  ['init-containers', 'init-container-statuses'].map(what => `pod.${stage}.kubernetes.io/${what}`),
);

/** Old clients send what init containers were before they were fields. Mutates. */
function dropInitContainerAnnotations({ metadata }: Pod): void {
  if (metadata.annotations !== undefined)
    for (const key of INIT_CONTAINER_ANNOTATIONS) delete metadata.annotations[key];
}

/** What a Pod's grace period comes to: never for Pods that run nowhere. Source: podStrategy.CheckGracefulDelete. */
function gracePeriod(pod: ReadonlyPod, requested: number | undefined): number {
  const phase = pod.status?.phase;
  if (!pod.spec?.nodeName || phase === 'Failed' || phase === 'Succeeded') return 0;
  const seconds = requested ?? pod.spec.terminationGracePeriodSeconds ?? 0;
  return seconds < 0 ? 1 : seconds;
}

/** nodeName moves by binding only, which is no new generation of the spec. */
const withoutNode = (spec: ReadonlyPod['spec']): unknown => ({ ...spec, nodeName: undefined });

/** One address in two places: podIP wins over podIPs, for agents that know only the older field. */
function alignPodIps(status: PodStatus): void {
  if (status.podIP && status.podIP !== status.podIPs?.[0]?.ip) status.podIPs = [{ ip: status.podIP }];
  else if (!status.podIP && status.podIPs?.[0]?.ip) status.podIP = status.podIPs[0].ip;
}

export const podStrategy: Strategy<Pod> = {
  default(pod) {
    const spec = (pod.spec ??= {} as PodSpec);
    dropInitContainerAnnotations(pod);
    defaultPodSpec(spec);
    defaultPod(spec);
    if (pod.status !== undefined) alignPodIps(pod.status);
  },
  prepareForCreate(ctx, pod) {
    const spec = (pod.spec ??= {} as PodSpec);
    pod.status = { phase: 'Pending', qosClass: podQos(spec) };
    if ((spec.schedulingGates ?? []).length > 0)
      pod.status = {
        ...pod.status,
        conditions: [{ ...gatedCondition, lastTransitionTime: formatTime(ctx.clock.now()) }],
      };
    syncAppArmor(pod, text => {
      ctx.warn(text);
    });
    expandAffinity(pod);
    for (const constraint of spec.topologySpreadConstraints ?? []) expandLabelKeys(constraint, pod.metadata.labels);
  },
  prepareForUpdate(_ctx, pod, old) {
    pod.status = cloneJson(old.status) as Status;
  },
  validate(_ctx, pod) {
    const out = errorList();
    checkPodCreate(out, pod);
    return out;
  },
  validateUpdate(_ctx, pod, old) {
    const out = errorList();
    checkMetadataAgain(out, pod, { namespaced: true, name: nameIsDnsSubdomain });
    checkPodUpdate(out, pod, old);
    return out;
  },
  warnings(_ctx, pod, old) {
    // People do not update Pods: upstream does not spend the time.
    if (old !== undefined) return [];
    const problems = isDns1123Label(pod.metadata.name ?? '');
    const name =
      problems.length === 0
        ? []
        : [
            `metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [${problems.join(' ')}]`,
          ];
    return [...name, ...podSpecWarnings(pod.spec, '', pod.metadata.annotations)];
  },
  generationChanged: (pod, old) => !semanticEqual(withoutNode(pod.spec), withoutNode(old.spec)),
  gracePeriodSeconds: gracePeriod,
  fields: pod => ({
    'spec.hostNetwork': String(pod.spec?.hostNetwork === true),
    'status.podIPs': (pod.status?.podIPs ?? []).map(({ ip }) => ip).join(','),
  }),
  cells: podRow,
  subresources: {
    status: statusPart,
    ephemeralcontainers: ephemeralPart,
    resize: resizePart,
    // Not served: how a binding writes the Pod, past the rules of its users.
    assign: { kind: 'part' },
    // Nor is this: the condition that an eviction leaves.
    evict: { kind: 'part' },
    binding: bindingAction,
    eviction: evictionAction,
    ...podConnections,
  },
};
