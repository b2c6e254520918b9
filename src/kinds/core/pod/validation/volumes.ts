import type { Volume, VolumeContext } from './volume-check.js';
import { duplicate, forbidden, invalid, notSupported, required } from '../../../../machinery/field-error.js';
import type { FieldError, FieldPath } from '../../../../machinery/field-error.js';
import type { DeepReadonly, PodSpec } from '../../../../machinery/types.js';
import { checkFieldRef, checkResourceFieldRef, type FieldRef, type ResourceFieldRef } from './env.js';
import { checkDnsLabel, checkDnsSubdomain, dnsSubdomainErrors } from '../../../validation/formats.js';
import { checkFileMode, checkLocalDescendingPath, checkLocalNonReservedPath, checkNoBacksteps } from './paths.js';
import { checkClaimSpec } from '../../validation/claims.js';
import { checkCsiDriverName } from '../../../storage/validation/csi.js';
import { LEGACY_VOLUME_CHECKS } from './legacy-volumes.js';
import type { VolumeCheck } from './volume-check.js';
import { checkTemplateMetadata } from '../../../validation/metadata.js';
import { quantitySign } from '../../../validation/quantities.js';

type Spec = DeepReadonly<PodSpec>;
type Projected = NonNullable<Volume['projected']>;
type Source = NonNullable<Projected['sources']>[number];
interface KeyToPath {
  readonly key: string;
  readonly path: string;
  readonly mode?: number | undefined;
}

const DOWNWARD_VOLUME_FIELDS = [
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
];
const HOST_PATH_TYPES = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
];
const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never'];

export function checkPullPolicy(out: FieldError[], at: FieldPath, policy: string | undefined): void {
  if (!policy) out.push(required(at));
  else if (!PULL_POLICIES.includes(policy)) out.push(notSupported(at, policy, PULL_POLICIES));
}

function checkKeyToPath(out: FieldError[], at: FieldPath, item: KeyToPath): void {
  if (!item.key) out.push(required(at.child('key')));
  if (!item.path) out.push(required(at.child('path')));
  checkLocalNonReservedPath(out, at.child('path'), item.path ?? '');
  checkFileMode(out, at.child('mode'), item.mode);
}

interface DownwardFile {
  readonly path: string;
  readonly mode?: number | undefined;
  readonly fieldRef?: FieldRef | undefined;
  readonly resourceFieldRef?: ResourceFieldRef | undefined;
}

function checkDownwardFile(out: FieldError[], at: FieldPath, file: DownwardFile): void {
  if (!file.path) out.push(required(at.child('path')));
  checkLocalNonReservedPath(out, at.child('path'), file.path ?? '');
  if (file.fieldRef !== undefined) {
    checkFieldRef(out, at.child('fieldRef'), file.fieldRef, DOWNWARD_VOLUME_FIELDS);
    if (file.resourceFieldRef !== undefined)
      out.push(invalid(at, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously'));
  } else if (file.resourceFieldRef !== undefined)
    checkResourceFieldRef(out, at.child('resourceFieldRef'), file.resourceFieldRef, true);
  else out.push(required(at, 'one of fieldRef and resourceFieldRef is required'));
  checkFileMode(out, at.child('mode'), file.mode);
}

const MIN_TOKEN_SECONDS = 600;

type Token = NonNullable<Source['serviceAccountToken']>;

function checkToken(out: FieldError[], at: FieldPath, volumeAt: FieldPath, token: Token): void {
  const seconds = token.expirationSeconds ?? 3600;
  const expiration = at.child('expirationSeconds');
  if (seconds < MIN_TOKEN_SECONDS)
    out.push(invalid(expiration, seconds, 'may not specify a duration less than 10 minutes'));
  if (seconds > 2 ** 32) out.push(invalid(expiration, seconds, 'may not specify a duration larger than 2^32 seconds'));
  // Upstream reports the path at the volume, not at the source.
  if (!token.path) out.push(required(volumeAt.child('path')));
  else checkLocalNonReservedPath(out, volumeAt.child('path'), token.path);
}

function checkProjected(out: FieldError[], at: FieldPath, projected: Projected): void {
  checkFileMode(out, at.child('defaultMode'), projected.defaultMode);
  const paths = new Set<string>();
  const takePath = (path: string | undefined, shown: string): void => {
    if (!path) return;
    if (paths.has(path)) out.push(invalid(at, shown, 'conflicting duplicate paths'));
    paths.add(path);
  };
  (projected.sources ?? []).forEach((source, i) => {
    const item = at.child('sources').index(i);
    let count = 0;
    const keyed = (name: 'secret' | 'configMap'): void => {
      const ref = source[name];
      if (ref === undefined) return;
      count++;
      if (!ref.name) out.push(required(item.child(name, 'name')));
      (ref.items ?? []).forEach((key, j) => {
        checkKeyToPath(out, item.child(name, 'items').index(j), key);
        takePath(key.path, ref.name ?? '');
      });
    };
    keyed('secret');
    keyed('configMap');
    if (source.downwardAPI !== undefined) {
      count++;
      for (const file of source.downwardAPI.items ?? []) {
        checkDownwardFile(out, item.child('downwardAPI'), file);
        takePath(file.path, file.path);
      }
    }
    if (source.serviceAccountToken !== undefined) {
      count++;
      checkToken(out, item.child('serviceAccountToken'), at, source.serviceAccountToken);
    }
    if (count > 1) out.push(forbidden(item, 'may not specify more than 1 volume type per source'));
  });
}

/** A Secret or ConfigMap as a volume. */
function checkKeyedVolume(
  out: FieldError[],
  at: FieldPath,
  nameField: string,
  source: { name: string | undefined; defaultMode?: number | undefined; items?: readonly KeyToPath[] | undefined },
): void {
  if (!source.name) out.push(required(at.child(nameField)));
  checkFileMode(out, at.child('defaultMode'), source.defaultMode);
  (source.items ?? []).forEach((item, i) => checkKeyToPath(out, at.child('items').index(i), item));
}

const need = (out: FieldError[], at: FieldPath, value: unknown): void => {
  if (value === undefined || value === '') out.push(required(at));
};

/** In upstream's order, which decides what counts as "more than one". */
const CHECKS: readonly VolumeCheck[] = [
  {
    source: 'emptyDir',
    check(out, at, { emptyDir }) {
      const limit = emptyDir?.sizeLimit;
      if (limit !== undefined && quantitySign(limit) < 0)
        out.push(forbidden(at.child('sizeLimit'), 'SizeLimit field must be a valid resource quantity'));
    },
  },
  {
    source: 'hostPath',
    check(out, at, { hostPath }) {
      if (!hostPath?.path) return void out.push(required(at.child('path')));
      checkNoBacksteps(out, at.child('path'), hostPath.path);
      if (hostPath.type !== undefined && !HOST_PATH_TYPES.includes(hostPath.type))
        out.push(notSupported(at.child('type'), hostPath.type, HOST_PATH_TYPES));
    },
  },
  {
    source: 'gitRepo',
    check(out, at, { gitRepo }) {
      need(out, at.child('repository'), gitRepo?.repository);
      checkLocalDescendingPath(out, at.child('directory'), gitRepo?.directory ?? '');
    },
  },
  ...LEGACY_VOLUME_CHECKS.slice(0, 2),
  {
    source: 'secret',
    check(out, at, { secret }) {
      checkKeyedVolume(out, at, 'secretName', { ...secret, name: secret?.secretName });
    },
  },
  {
    source: 'nfs',
    check(out, at, { nfs }) {
      need(out, at.child('server'), nfs?.server);
      need(out, at.child('path'), nfs?.path);
      if (!nfs?.path?.startsWith('/')) out.push(invalid(at.child('path'), nfs?.path ?? '', 'must be an absolute path'));
    },
  },
  ...LEGACY_VOLUME_CHECKS.slice(2, 5),
  {
    source: 'persistentVolumeClaim',
    check(out, at, { persistentVolumeClaim }) {
      need(out, at.child('claimName'), persistentVolumeClaim?.claimName);
    },
  },
  ...LEGACY_VOLUME_CHECKS.slice(5, 9),
  {
    source: 'downwardAPI',
    extraAs: 'downwarAPI',
    check(out, at, { downwardAPI }) {
      checkFileMode(out, at.child('defaultMode'), downwardAPI?.defaultMode);
      for (const file of downwardAPI?.items ?? []) checkDownwardFile(out, at, file);
    },
  },
  ...LEGACY_VOLUME_CHECKS.slice(9, 11),
  {
    source: 'configMap',
    check(out, at, { configMap }) {
      checkKeyedVolume(out, at, 'name', { ...configMap, name: configMap?.name });
    },
  },
  ...LEGACY_VOLUME_CHECKS.slice(11, 17),
  {
    source: 'projected',
    check(out, at, { projected }) {
      if (projected !== undefined) checkProjected(out, at, projected);
    },
  },
  ...LEGACY_VOLUME_CHECKS.slice(17),
  {
    source: 'csi',
    check(out, at, { csi }) {
      checkCsiDriverName(out, at.child('driver'), csi?.driver);
      const secret = csi?.nodePublishSecretRef;
      if (secret === undefined) return;
      if (!secret.name) out.push(required(at.child('nodePublishSecretRef', 'name')));
      else checkDnsSubdomain(out, at.child('name'), secret.name);
    },
  },
  {
    source: 'ephemeral',
    check(out, at, { name, ephemeral }, { podName }) {
      const template = ephemeral?.volumeClaimTemplate;
      if (template === undefined) out.push(required(at.child('volumeClaimTemplate')));
      else {
        checkTemplateMetadata(out, at.child('volumeClaimTemplate', 'metadata'), template.metadata);
        checkClaimSpec(out, at.child('volumeClaimTemplate', 'spec'), template.spec);
      }
      if (!podName || !name) return;
      const claim = `${podName}-${name}`;
      for (const text of dnsSubdomainErrors(claim))
        out.push(invalid(at.child('name'), name, `PVC name "${claim}": ${text}`));
    },
  },
  {
    source: 'image',
    check(out, at, { image }, { isPod }) {
      if (isPod) need(out, at.child('reference'), image?.reference);
      checkPullPolicy(out, at.child('pullPolicy'), image?.pullPolicy);
    },
  },
];

function checkSource(out: FieldError[], at: FieldPath, volume: Volume, ctx: VolumeContext): void {
  let count = 0;
  for (const { source, as = source, extraAs = source, check, always } of CHECKS) {
    if (volume[source] === undefined) continue;
    if (count++ > 0) out.push(forbidden(at.child(extraAs), 'may not specify more than 1 volume type'));
    else check(out, at.child(as), volume, ctx);
    always?.(out, at, volume, ctx);
  }
  if (count === 0) out.push(required(at, 'must specify a volume type'));
}

/** The rules of one kind of source, for PersistentVolumes, which have most of them too. */
export function checkVolumeSource(out: FieldError[], at: FieldPath, source: keyof Volume, volume: Volume): void {
  const found = CHECKS.find(candidate => candidate.source === source);
  found?.check(out, at.child(found.as ?? source), volume, { podName: undefined, isPod: false });
}

/** Checks the volumes and gives them by name, for the mounts. */
export function checkVolumes(
  out: FieldError[],
  at: FieldPath,
  volumes: Spec['volumes'],
  ctx: VolumeContext,
): ReadonlyMap<string, Volume> {
  const byName = new Map<string, Volume>();
  const created = new Set<string>();
  (volumes ?? []).forEach((volume, i) => {
    const item = at.index(i);
    const before = out.length;
    checkSource(out, item, volume, ctx);
    if (!volume.name) out.push(required(item.child('name')));
    else {
      checkDnsLabel(out, item.child('name'), volume.name);
      if (byName.has(volume.name)) out.push(duplicate(item.child('name'), volume.name));
    }
    if (out.length === before) byName.set(volume.name, volume);
    if (volume.ephemeral !== undefined && ctx.podName) created.add(`${ctx.podName}-${volume.name}`);
  });
  (volumes ?? []).forEach((volume, i) => {
    const claim = volume.persistentVolumeClaim?.claimName;
    if (claim === undefined || !created.has(claim)) return;
    const text = 'must not reference a PVC that gets created for an ephemeral volume';
    out.push(invalid(at.index(i).child('persistentVolumeClaim', 'claimName'), claim, text));
  });
  return byName;
}
