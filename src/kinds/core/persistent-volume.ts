import { formatTime } from '../../machinery/clock.js';
import { errorList, forbidden, invalid, path, type FieldError } from '../../machinery/field-error.js';
import { semanticEqual } from '../../machinery/json-equal.js';
import type { DeepReadonly, KubeObject, PersistentVolume } from '../../machinery/types.js';
import { nameIsDnsSubdomain } from '../../machinery/validation/names.js';
import { FIELD_IMMUTABLE } from '../../machinery/validation/object-meta.js';
import type { Strategy } from '../../api/strategy.js';
import { checkImmutable, list } from '../validation/formats.js';
import { goForm } from '../validation/go-form.js';
import { checkMetadataAgain, checkMetadataUpdateAgain } from '../validation/metadata.js';
import { checkMountOptions, checkVolumeSpec, sourceOf, type VolumeSpec } from './validation/persistent-volume.js';
import { jsonDiff } from '../validation/spec-diff.js';
import { ageCell, nameCell, UNSET } from '../cells.js';
import { nodeSelectorTermWarnings } from '../node-labels.js';

type ReadonlyVolume = DeepReadonly<PersistentVolume>;
type Affinity = VolumeSpec['nodeAffinity'];

const SPEC = path('spec');
export const BETA_CLASS = 'volume.beta.kubernetes.io/storage-class';
const EMPTY: VolumeSpec = {};

const specOf = (volume: ReadonlyVolume): VolumeSpec => volume.spec ?? EMPTY;

function checkVolume(volume: ReadonlyVolume): FieldError[] {
  const out = errorList();
  checkVolumeSpec(out, specOf(volume), { root: SPEC, name: volume.metadata.name ?? '', inline: false });
  return out;
}

/** A secret for expansion may be added where there was none. */
function withoutNewExpandSecret(now: VolumeSpec, before: VolumeSpec): VolumeSpec {
  if (now.csi === undefined || before.csi === undefined || before.csi.controllerExpandSecretRef !== undefined)
    return now;
  const { controllerExpandSecretRef: _added, ...csi } = now.csi;
  return { ...now, csi };
}

const GA_LABELS: Readonly<Record<string, string>> = {
  'failure-domain.beta.kubernetes.io/region': 'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone': 'topology.kubernetes.io/zone',
  'beta.kubernetes.io/instance-type': 'node.kubernetes.io/instance-type',
  'beta.kubernetes.io/os': 'kubernetes.io/os',
  'beta.kubernetes.io/arch': 'kubernetes.io/arch',
};

const withGaLabels = (affinity: Affinity): unknown => ({
  required: {
    nodeSelectorTerms: list(affinity?.required?.nodeSelectorTerms).map(term => ({
      ...term,
      matchExpressions: term.matchExpressions?.map(rule => ({ ...rule, key: GA_LABELS[rule.key] ?? rule.key })),
    })),
  },
});

function checkAffinityUnchanged(out: FieldError[], now: Affinity, before: Affinity): void {
  if (before === undefined || semanticEqual(now, before) || semanticEqual(now, withGaLabels(before))) return;
  const shown = now === undefined ? null : goForm('VolumeNodeAffinity', now);
  out.push(invalid(path('nodeAffinity'), shown, `${FIELD_IMMUTABLE}, except for updating from beta label to GA`));
}

function checkUpdate(out: FieldError[], now: VolumeSpec, before: VolumeSpec): void {
  const source = sourceOf(withoutNewExpandSecret(now, before));
  if (!semanticEqual(source, sourceOf(before))) {
    const form = (value: unknown): unknown => goForm('PersistentVolumeSource', value);
    const text = `spec.persistentvolumesource is immutable after creation\n${jsonDiff(form(sourceOf(before)), form(source))}`;
    out.push(forbidden(SPEC.child('persistentvolumesource'), text));
  }
  checkImmutable(out, path('volumeMode'), now.volumeMode, before.volumeMode);
  checkAffinityUnchanged(out, now.nodeAffinity, before.nodeAffinity);
  if (before.volumeAttributesClassName !== undefined && now.volumeAttributesClassName === undefined)
    out.push(forbidden(SPEC.child('volumeAttributesClassName'), 'update from non-nil value to nil is forbidden'));
}

const DEPRECATED_ANNOTATIONS: Readonly<Record<string, string>> = {
  [BETA_CLASS]: 'deprecated since v1.8; use "storageClassName" attribute instead',
  'volume.beta.kubernetes.io/mount-options': 'deprecated since v1.31; use "mountOptions" attribute instead',
};

const DEPRECATED_SOURCES: readonly (readonly [source: keyof VolumeSpec, at: string, text: string])[] = [
  ['cephfs', 'cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  ['photonPersistentDisk', 'photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['scaleIO', 'scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['storageos', 'storageOS', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
  ['rbd', 'rbd', 'deprecated in v1.28, non-functional in v1.31+'],
];

const affinityWarnings = (affinity: Affinity): string[] =>
  list(affinity?.required?.nodeSelectorTerms).flatMap((term, i) =>
    nodeSelectorTermWarnings(term, `spec.nodeAffinity.required.nodeSelectorTerms[${i}]`),
  );

function warningsOf(volume: ReadonlyVolume): string[] {
  const spec = specOf(volume);
  const annotations = Object.entries(DEPRECATED_ANNOTATIONS)
    .filter(([key]) => volume.metadata.annotations?.[key] !== undefined)
    .map(([key, text]) => `metadata.annotations[${key}]: ${text}`);
  const recycle =
    spec.persistentVolumeReclaimPolicy === 'Recycle'
      ? [
          'spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.',
        ]
      : [];
  const sources = DEPRECATED_SOURCES.filter(([source]) => spec[source] !== undefined).map(
    ([, at, text]) => `spec.${at}: ${text}`,
  );
  return [...annotations, ...recycle, ...affinityWarnings(spec.nodeAffinity), ...sources];
}

const SHORT_MODES: readonly (readonly [mode: string, short: string])[] = [
  ['ReadWriteOnce', 'RWO'],
  ['ReadOnlyMany', 'ROX'],
  ['ReadWriteMany', 'RWX'],
  ['ReadWriteOncePod', 'RWOP'],
];

/** "RWO,ROX": always in this order. */
export const accessModesCell = (modes: readonly string[] | undefined): string =>
  SHORT_MODES.filter(([mode]) => list(modes).includes(mode))
    .map(([, short]) => short)
    .join(',');

export const phaseCell = ({ metadata }: DeepReadonly<KubeObject>, phase: string | undefined): string =>
  metadata.deletionTimestamp === undefined ? (phase ?? '') : 'Terminating';

export const classCell = ({ metadata }: DeepReadonly<KubeObject>, name: string | undefined): string =>
  metadata.annotations?.[BETA_CLASS] ?? name ?? '';

export const persistentVolumeStrategy: Strategy<PersistentVolume> = {
  default(volume) {
    const spec = (volume.spec ??= {});
    (volume.status ??= {}).phase ||= 'Pending';
    spec.persistentVolumeReclaimPolicy ||= 'Retain';
    spec.volumeMode ??= 'Filesystem';
    if (spec.hostPath !== undefined) spec.hostPath.type ??= '';
  },
  prepareForCreate(ctx, volume) {
    volume.status = { phase: 'Pending', lastPhaseTransitionTime: formatTime(ctx.clock.now()) };
  },
  validate(_ctx, volume) {
    const out = checkVolume(volume);
    checkMountOptions(out, volume);
    return out;
  },
  validateUpdate(_ctx, volume, old) {
    const out = errorList();
    // Upstream runs the rules of creation twice.
    for (const round of ['first', 'second'] as const) {
      checkMetadataAgain(out, volume, { namespaced: false, name: nameIsDnsSubdomain });
      for (const one of checkVolume(volume)) out.push(one);
      if (round === 'first') checkMountOptions(out, volume);
    }
    checkUpdate(out, specOf(volume), specOf(old));
    return out;
  },
  warnings: (_ctx, volume) => warningsOf(volume),
  cells(volume, nowMs) {
    const spec = specOf(volume);
    const { claimRef } = spec;
    return {
      cells: [
        nameCell(volume),
        spec.capacity?.['storage'] ?? '0',
        accessModesCell(spec.accessModes),
        spec.persistentVolumeReclaimPolicy ?? '',
        phaseCell(volume, volume.status?.phase),
        claimRef === undefined ? '' : `${claimRef.namespace ?? ''}/${claimRef.name ?? ''}`,
        classCell(volume, spec.storageClassName),
        spec.volumeAttributesClassName ?? UNSET,
        volume.status?.reason ?? '',
        ageCell(volume, nowMs),
        spec.volumeMode ?? UNSET,
      ],
    };
  },
  subresources: {
    status: {
      kind: 'part',
      prepareForUpdate(ctx, object, old) {
        const status = ((object as PersistentVolume).status ??= {});
        const before = (old as ReadonlyVolume).status;
        const time = before?.lastPhaseTransitionTime;
        if (status.phase === before?.phase) {
          if (time !== undefined) status.lastPhaseTransitionTime ??= time;
        } else if (status.lastPhaseTransitionTime === undefined || status.lastPhaseTransitionTime === time)
          status.lastPhaseTransitionTime = formatTime(ctx.clock.now());
      },
      validateUpdate(_ctx, object, old) {
        const out = errorList();
        checkMetadataUpdateAgain(out, object, old);
        return out;
      },
    },
  },
};
