import type { DeepReadonly, KubeObject, OwnerReference, Pod, StatefulSet } from '../../machinery/types.js';
import { podFromTemplate } from '../pod-template.js';

export type ReadonlyStatefulSet = DeepReadonly<StatefulSet>;
export type ReadonlyPod = DeepReadonly<Pod>;

export const REVISION_LABEL = 'controller-revision-hash';
const POD_NAME = 'statefulset.kubernetes.io/pod-name';
const POD_INDEX = 'apps.kubernetes.io/pod-index';

/** "web-3" → web, 3; anything else belongs to no StatefulSet. */
export function parentAndOrdinal(name: string): { parent: string; ordinal: number } | undefined {
  const match = /^(.*)-(\d+)$/.exec(name);
  return match === null ? undefined : { parent: match[1] ?? '', ordinal: Number(match[2]) };
}

export const ordinalOf = (object: DeepReadonly<KubeObject>): number =>
  parentAndOrdinal(object.metadata.name ?? '')?.ordinal ?? -1;

export const isMember = (set: ReadonlyStatefulSet, pod: ReadonlyPod): boolean =>
  parentAndOrdinal(pod.metadata.name ?? '')?.parent === set.metadata.name;

export const podRevision = (pod: ReadonlyPod): string => pod.metadata.labels?.[REVISION_LABEL] ?? '';
export const startOrdinal = (set: ReadonlyStatefulSet): number => set.spec?.ordinals?.start ?? 0;
export const replicasOf = (set: ReadonlyStatefulSet): number => set.spec?.replicas ?? 1;

/** data-web-0: the claim of a template for the Pod of an ordinal. */
export const claimName = (set: ReadonlyStatefulSet, template: string, ordinal: number): string =>
  `${template}-${set.metadata.name ?? ''}-${ordinal}`;

const identityLabels = (name: string, ordinal: number): Record<string, string> => ({
  [POD_NAME]: name,
  [POD_INDEX]: String(ordinal),
});

type Volumes = NonNullable<NonNullable<Pod['spec']>['volumes']>;

/** Volumes of the claims first; what the template says of a volume of the same name gives way. */
function volumesFor(set: ReadonlyStatefulSet, volumes: DeepReadonly<Volumes>, ordinal: number): Volumes {
  const templates = set.spec?.volumeClaimTemplates ?? [];
  const names = new Set(templates.map(template => template.metadata?.name));
  const claimed = templates.map(template => {
    const name = template.metadata?.name ?? '';
    return { name, persistentVolumeClaim: { claimName: claimName(set, name, ordinal) } };
  });
  return [...claimed, ...volumes.filter(volume => !names.has(volume.name))] as Volumes;
}

/** The Pod of an ordinal, as the set (with the template of a revision) wants it. */
export function newPod(
  set: ReadonlyStatefulSet,
  reference: OwnerReference,
  revision: string,
  ordinal: number,
): ReadonlyPod {
  const pod = podFromTemplate(set.spec?.template, set, reference);
  const name = `${set.metadata.name ?? ''}-${ordinal}`;
  const volumes = volumesFor(set, pod.spec?.volumes ?? [], ordinal);
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      name,
      labels: { ...pod.metadata.labels, ...identityLabels(name, ordinal), [REVISION_LABEL]: revision },
    },
    spec: {
      ...(pod.spec as NonNullable<Pod['spec']>),
      hostname: name,
      ...(set.spec?.serviceName === undefined ? {} : { subdomain: set.spec.serviceName }),
      ...(volumes.length === 0 ? {} : { volumes }),
    },
  };
}

const storageMatches = (set: ReadonlyStatefulSet, pod: ReadonlyPod): boolean =>
  (set.spec?.volumeClaimTemplates ?? []).every(template => {
    const name = template.metadata?.name ?? '';
    const volume = pod.spec?.volumes?.find(candidate => candidate.name === name);
    return volume?.persistentVolumeClaim?.claimName === claimName(set, name, ordinalOf(pod));
  });

export const identityMatches = (set: ReadonlyStatefulSet, pod: ReadonlyPod): boolean =>
  isMember(set, pod) && pod.metadata.labels?.[POD_NAME] === pod.metadata.name && storageMatches(set, pod);

/** The Pod with the labels and volumes that make it this member again. */
export const withIdentity = (set: ReadonlyStatefulSet, pod: ReadonlyPod): Pod =>
  ({
    ...pod,
    metadata: {
      ...pod.metadata,
      labels: { ...pod.metadata.labels, ...identityLabels(pod.metadata.name ?? '', ordinalOf(pod)) },
    },
    spec: { ...pod.spec, volumes: volumesFor(set, pod.spec?.volumes ?? [], ordinalOf(pod)) },
  }) as Pod;
