import { forbidden, invalid, notSupported, path, required } from '../../../machinery/field-error.js';
import type { FieldError, FieldPath } from '../../../machinery/field-error.js';
import type { DeepReadonly, PersistentVolume } from '../../../machinery/types.js';
import { checkAccessModes, VOLUME_MODES } from './claims.js';
import { checkDnsLabel, checkDnsSubdomain, list, sortedEntries } from '../../validation/formats.js';
import { checkCsiDriverName } from '../../storage/validation/csi.js';
import { checkNoBacksteps } from '../pod/validation/paths.js';
import { quantitySign, quantityValue } from '../../validation/quantities.js';
import { checkNodeSelector } from '../pod/validation/scheduling.js';
import { checkVolumeSource } from '../pod/validation/volumes.js';
import type { Volume } from '../pod/validation/volume-check.js';

export type VolumeSpec = NonNullable<DeepReadonly<PersistentVolume>['spec']>;

const RECLAIM_POLICIES = ['Delete', 'Recycle', 'Retain'];
const MOUNT_OPTIONS = 'volume.beta.kubernetes.io/mount-options';

interface Reference {
  readonly name?: string;
  readonly namespace?: string;
}
/** Where a spec stands: in a PersistentVolume, or inside a VolumeAttachment, where less can be said. */
export interface VolumeContext {
  readonly root: FieldPath;
  /** Of the volume. */
  readonly name: string;
  readonly inline: boolean;
}
type Check = (out: FieldError[], at: FieldPath, spec: VolumeSpec, ctx: VolumeContext) => void;

const need = (out: FieldError[], at: FieldPath, value: string | undefined): void => {
  if (!value) out.push(required(at));
};

function checkNamedReference(out: FieldError[], at: FieldPath, ref: Reference | undefined): void {
  if (ref === undefined) return;
  need(out, at.child('name'), ref.name);
  need(out, at.child('namespace'), ref.namespace);
}

function checkSecretReference(out: FieldError[], at: FieldPath, ref: Reference | undefined): void {
  if (ref === undefined) return;
  if (ref.name) checkDnsSubdomain(out, at.child('name'), ref.name);
  else out.push(required(at.child('name')));
  if (ref.namespace) checkDnsLabel(out, at.child('namespace'), ref.namespace);
  else out.push(required(at.child('namespace')));
}

const ISCSI_NAME = /^(iqn\.\d{4}-\d{2}\.([A-Za-z0-9\-.]+)(:[^,;*&$|\s]+)|eui.[A-Za-z0-9]{16}|naa.[A-Za-z0-9]{32})$/;

const checkIscsi: Check = (out, at, { iscsi }, { name }) => {
  if (iscsi === undefined) return;
  const { targetPortal, iqn, lun = 0, secretRef, initiatorName } = iscsi;
  need(out, at.child('targetPortal'), targetPortal);
  if (initiatorName !== undefined && `${name}:${targetPortal}`.length > 64) {
    const text =
      'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.';
    out.push(invalid(at.child('targetportal'), targetPortal, text));
  }
  if (!iqn) out.push(required(at.child('iqn')));
  else if (!ISCSI_NAME.test(iqn)) out.push(invalid(at.child('iqn'), iqn, 'must be valid format'));
  if (lun < 0 || lun > 255) out.push(invalid(at.child('lun'), lun, 'must be between 0 and 255, inclusive'));
  const asksForSecret = iscsi.chapAuthDiscovery === true || iscsi.chapAuthSession === true;
  if (asksForSecret && secretRef === undefined) out.push(required(at.child('secretRef')));
  if (secretRef !== undefined) need(out, at.child('secretRef', 'name'), secretRef.name);
  if (initiatorName !== undefined && !ISCSI_NAME.test(initiatorName))
    out.push(invalid(at.child('initiatorname'), initiatorName, 'must be valid format'));
};

const checkCsi: Check = (out, at, { csi }) => {
  if (csi === undefined) return;
  checkCsiDriverName(out, at.child('driver'), csi.driver);
  need(out, at.child('volumeHandle'), csi.volumeHandle);
  for (const field of [
    'controllerPublishSecretRef',
    'controllerExpandSecretRef',
    'nodePublishSecretRef',
    'nodeExpandSecretRef',
  ] as const)
    checkSecretReference(out, at.child(field), csi[field]);
};

/** What volumes of Pods share with PersistentVolumes, which may say more: secrets of other namespaces. */
const shared =
  (source: keyof Volume & keyof VolumeSpec): Check =>
  (out, _at, spec, { root }) =>
    checkVolumeSource(out, root, source, spec as Partial<Volume> as Volume);

/** In upstream's order, which decides what counts as "more than one". `as`: how upstream spells the path. */
const SOURCES: readonly { source: keyof VolumeSpec; as?: string; check: Check }[] = [
  { source: 'hostPath', check: shared('hostPath') },
  { source: 'gcePersistentDisk', check: shared('gcePersistentDisk') },
  { source: 'awsElasticBlockStore', check: shared('awsElasticBlockStore') },
  {
    source: 'glusterfs',
    check(out, at, spec, ctx) {
      shared('glusterfs')(out, at, spec, ctx);
      const namespace = spec.glusterfs?.endpointsNamespace;
      const here = at.child('endpointsNamespace');
      if (namespace === '')
        out.push(invalid(here, '', 'if the endpointnamespace is set, it must be a valid namespace name'));
      else if (namespace !== undefined) checkDnsLabel(out, here, namespace);
    },
  },
  { source: 'flocker', check: shared('flocker') },
  { source: 'nfs', check: shared('nfs') },
  { source: 'rbd', check: shared('rbd') },
  { source: 'quobyte', check: shared('quobyte') },
  { source: 'cephfs', as: 'cephFS', check: shared('cephfs') },
  { source: 'iscsi', check: checkIscsi },
  {
    source: 'cinder',
    check(out, at, { cinder }) {
      need(out, at.child('volumeID'), cinder?.volumeID);
      checkNamedReference(out, at.child('secretRef'), cinder?.secretRef);
    },
  },
  { source: 'fc', check: shared('fc') },
  { source: 'flexVolume', check: shared('flexVolume') },
  {
    source: 'azureFile',
    check(out, at, spec, ctx) {
      shared('azureFile')(out, at, spec, ctx);
      if (spec.azureFile?.secretNamespace === '') out.push(required(at.child('secretNamespace')));
    },
  },
  { source: 'vsphereVolume', check: shared('vsphereVolume') },
  { source: 'photonPersistentDisk', check: shared('photonPersistentDisk') },
  { source: 'portworxVolume', check: shared('portworxVolume') },
  { source: 'azureDisk', check: shared('azureDisk') },
  { source: 'scaleIO', check: shared('scaleIO') },
  {
    source: 'local',
    check(out, at, { local, nodeAffinity }, { root }) {
      if (!local?.path) out.push(required(at.child('path')));
      else checkNoBacksteps(out, at.child('path'), local.path);
      if (nodeAffinity === undefined)
        out.push(required(root.child('nodeAffinity'), 'Local volume requires node affinity'));
    },
  },
  {
    source: 'storageos',
    check(out, at, { storageos }) {
      if (!storageos?.volumeName) out.push(required(at.child('volumeName')));
      else checkDnsLabel(out, at.child('volumeName'), storageos.volumeName);
      if (storageos?.volumeNamespace) checkDnsLabel(out, at.child('volumeNamespace'), storageos.volumeNamespace);
      checkNamedReference(out, at.child('secretRef'), storageos?.secretRef);
    },
  },
  { source: 'csi', check: checkCsi },
];

function checkSources(out: FieldError[], spec: VolumeSpec, ctx: VolumeContext): void {
  let count = 0;
  for (const { source, as = source, check } of SOURCES) {
    if (spec[source] === undefined) continue;
    // Upstream never refuses a second source when it is a flex volume.
    if (count++ > 0 && source !== 'flexVolume')
      out.push(forbidden(ctx.root.child(as), 'may not specify more than 1 volume type'));
    else check(out, ctx.root.child(source), spec, ctx);
  }
  if (count === 0) out.push(required(ctx.root, 'must specify a volume type'));
}

/** The fields that say where a volume is; they never change. */
export const sourceOf = (spec: VolumeSpec): Partial<VolumeSpec> =>
  Object.fromEntries(SOURCES.flatMap(({ source }) => (spec[source] === undefined ? [] : [[source, spec[source]]])));

function checkCapacity(out: FieldError[], at: FieldPath, capacity: VolumeSpec['capacity']): void {
  const entries = sortedEntries(capacity);
  if (entries.length === 0) out.push(required(at));
  if (capacity?.['storage'] === undefined || entries.length > 1)
    out.push(notSupported(at, capacity ?? null, ['storage']));
  for (const [name, amount] of entries) {
    const here = at.key(name);
    if (quantityValue(amount) < 0n)
      out.push(invalid(here, Number(quantityValue(amount)), 'must be a valid resource quantity'));
    if (quantitySign(amount) <= 0) out.push(invalid(here, amount, 'must be greater than zero'));
  }
}

const INLINE = 'may not be specified in the context of inline volumes';

/** What only a volume of its own has. */
function checkInline(out: FieldError[], at: FieldPath, { claimRef, capacity, csi }: VolumeSpec): void {
  if (claimRef !== undefined) out.push(forbidden(at.child('claimRef'), INLINE));
  if (Object.keys(capacity ?? {}).length > 0) out.push(forbidden(at.child('capacity'), INLINE));
  if (csi === undefined) out.push(required(at.child('csi'), 'has to be specified in the context of inline volumes'));
}

/** "/", "//", "/./": nothing but separators, each followed by at most one point. */
const isRoot = (directory: string): boolean =>
  directory.startsWith('/') && !directory.includes('..') && /^[/.]+$/.test(directory);

function checkReclaimPolicy(out: FieldError[], at: FieldPath, policy: string | undefined, inline: boolean): void {
  if (!policy) return;
  if (!inline) {
    if (!RECLAIM_POLICIES.includes(policy)) out.push(notSupported(at, policy, RECLAIM_POLICIES));
  } else if (policy !== 'Retain') out.push(forbidden(at, 'may only be Retain in the context of inline volumes'));
}

function checkNodeAffinity(
  out: FieldError[],
  at: FieldPath,
  affinity: VolumeSpec['nodeAffinity'],
  inline: boolean,
): void {
  if (affinity === undefined) return;
  const here = at.child('required');
  if (inline) out.push(forbidden(at, INLINE));
  else if (affinity.required === undefined) out.push(required(here, 'must specify required node constraints'));
  else checkNodeSelector(out, here, affinity.required);
}

function checkClasses(out: FieldError[], at: FieldPath, spec: VolumeSpec, inline: boolean): void {
  const { storageClassName, volumeMode } = spec;
  if (storageClassName && inline) out.push(forbidden(at.child('storageClassName'), INLINE));
  else if (storageClassName) checkDnsSubdomain(out, at.child('storageClassName'), storageClassName);
  if (volumeMode === undefined) return;
  const mode = at.child('volumeMode');
  if (!inline) {
    if (!VOLUME_MODES.includes(volumeMode)) out.push(notSupported(mode, volumeMode, VOLUME_MODES));
  } else if (volumeMode !== 'Filesystem')
    out.push(forbidden(mode, 'may not specify volumeMode other than Filesystem in the context of inline volumes'));
}

function checkAttributesClass(out: FieldError[], at: FieldPath, { volumeAttributesClassName, csi }: VolumeSpec): void {
  if (volumeAttributesClassName === undefined) return;
  const here = at.child('volumeAttributesClassName');
  if (volumeAttributesClassName === '') out.push(required(here, 'an empty string is disallowed'));
  else checkDnsSubdomain(out, here, volumeAttributesClassName);
  if (csi === undefined)
    out.push(required(at.child('csi'), 'has to be specified when using volumeAttributesClassName'));
}

export function checkVolumeSpec(out: FieldError[], spec: VolumeSpec, ctx: VolumeContext): void {
  const { root, inline } = ctx;
  if (inline) checkInline(out, root, spec);
  const modes = list(spec.accessModes);
  if (modes.length === 0) out.push(required(root.child('accessModes')));
  checkAccessModes(out, root.child('accessModes'), modes);
  if (!inline) checkCapacity(out, root.child('capacity'), spec.capacity);
  const policy = root.child('persistentVolumeReclaimPolicy');
  checkReclaimPolicy(out, policy, spec.persistentVolumeReclaimPolicy, inline);
  checkNodeAffinity(out, root.child('nodeAffinity'), spec.nodeAffinity, inline);
  checkSources(out, spec, ctx);
  if (spec.hostPath?.path && isRoot(spec.hostPath.path) && spec.persistentVolumeReclaimPolicy === 'Recycle')
    out.push(forbidden(policy, "may not be 'recycle' for a hostPath mount of '/'"));
  checkClasses(out, root, spec, inline);
  // Upstream leaves this out where it checks inline volumes.
  if (!inline) checkAttributesClass(out, root, spec);
}

/** Kinds of volumes whose mount options may still be in an annotation. */
const WITH_MOUNT_OPTIONS: readonly (keyof VolumeSpec)[] = [
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'glusterfs',
  'nfs',
  'rbd',
  'quobyte',
  'iscsi',
  'cinder',
  'cephfs',
  'azureFile',
  'vsphereVolume',
  'azureDisk',
  'photonPersistentDisk',
];

export function checkMountOptions(out: FieldError[], { metadata, spec }: DeepReadonly<PersistentVolume>): void {
  if (metadata.annotations?.[MOUNT_OPTIONS] === undefined) return;
  if (WITH_MOUNT_OPTIONS.some(source => spec?.[source] !== undefined)) return;
  const at = path('metadata', 'annotations', MOUNT_OPTIONS);
  out.push(forbidden(at, 'may not specify mount options for this volume type'));
}
