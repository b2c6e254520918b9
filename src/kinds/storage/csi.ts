import type * as k8s from '@kubernetes/client-node';
import {
  duplicate,
  errorList,
  forbidden,
  invalid,
  notSupported,
  path,
  required,
  tooLong,
} from '../../machinery/field-error.js';
import type { FieldError, FieldPath } from '../../machinery/field-error.js';
import { goLength } from '../../machinery/go-text.js';
import { semanticEqual } from '../../machinery/json-equal.js';
import type { DeepReadonly, KubeObject, LabelSelector, Wire } from '../../machinery/types.js';
import { nameIsDnsSubdomain } from '../../machinery/validation/names.js';
import { FIELD_IMMUTABLE } from '../../machinery/validation/object-meta.js';
import type { Strategy } from '../../api/strategy.js';
import { checkCsiDriverName } from './validation/csi.js';
import {
  checkDnsSubdomain,
  checkImmutable,
  checkNonNegative,
  checkQualifiedName,
  checkSelector,
  list,
  sortedEntries,
} from '../validation/formats.js';
import { goForm } from '../validation/go-form.js';
import { checkMetadataAgain } from '../validation/metadata.js';
import { checkVolumeSpec } from '../core/validation/persistent-volume.js';
import { quantitySign } from '../validation/quantities.js';
import { ageCell, nameCell, NONE, UNSET } from '../cells.js';
import { DEPRECATED_NODE_LABELS } from '../node-labels.js';

const SPEC = path('spec');
const CLUSTER = { namespaced: false, name: nameIsDnsSubdomain };

interface Driver extends KubeObject {
  spec: Wire<k8s.V1CSIDriverSpec>;
}
type DriverSpec = DeepReadonly<Driver>['spec'];

const FS_GROUP_POLICIES = ['File', 'None', 'ReadWriteOnceWithFSType'];
const LIFECYCLE_MODES = ['Persistent', 'Ephemeral'];
const MIN_TOKEN_SECONDS = 600;
const MIN_UPDATE_SECONDS = 10;

function checkTokenRequests(out: FieldError[], requests: DriverSpec['tokenRequests']): void {
  const audiences = new Set<string>();
  list(requests).forEach(({ audience, expirationSeconds: seconds }, i) => {
    const at = SPEC.child('tokenRequests').index(i);
    if (audiences.has(audience)) return void out.push(duplicate(at.child('audience'), audience));
    audiences.add(audience);
    if (seconds === undefined) return;
    const expiration = at.child('expirationSeconds');
    if (seconds < MIN_TOKEN_SECONDS)
      out.push(invalid(expiration, seconds, 'may not specify a duration less than 10 minutes'));
    if (seconds > 2 ** 32)
      out.push(invalid(expiration, seconds, 'may not specify a duration larger than 2^32 seconds'));
  });
}

function checkDriver({ spec }: DeepReadonly<Driver>): FieldError[] {
  const out = errorList();
  // Upstream spells this path with two more letters.
  if (spec.attachRequired === undefined) out.push(required(SPEC.child('attachedRequired')));
  if (spec.podInfoOnMount === undefined) out.push(required(SPEC.child('podInfoOnMount')));
  if (spec.storageCapacity === undefined) out.push(required(SPEC.child('storageCapacity')));
  if (spec.fsGroupPolicy !== undefined && !FS_GROUP_POLICIES.includes(spec.fsGroupPolicy))
    out.push(notSupported(SPEC.child('fsGroupPolicy'), spec.fsGroupPolicy, FS_GROUP_POLICIES));
  checkTokenRequests(out, spec.tokenRequests);
  for (const mode of list(spec.volumeLifecycleModes))
    if (!LIFECYCLE_MODES.includes(mode))
      out.push(notSupported(SPEC.child('volumeLifecycleModes'), mode, LIFECYCLE_MODES));
  if (spec.seLinuxMount === undefined) out.push(required(SPEC.child('seLinuxMount')));
  const period = spec.nodeAllocatableUpdatePeriodSeconds;
  if (period !== undefined && period < MIN_UPDATE_SECONDS) {
    const at = SPEC.child('nodeAllocatableUpdatePeriodSeconds');
    out.push(invalid(at, period, 'must be greater than or equal to 10 seconds'));
  }
  const inSecrets = tokenInSecrets(spec);
  if (inSecrets !== undefined && list(spec.tokenRequests).length === 0) {
    const text = 'serviceAccountTokenInSecrets is set but no tokenRequests are specified';
    out.push(invalid(SPEC.child('serviceAccountTokenInSecrets'), inSecrets, text));
  }
  return out;
}

const tokenInSecrets = (spec: DriverSpec): boolean | undefined =>
  (spec as { serviceAccountTokenInSecrets?: boolean }).serviceAccountTokenInSecrets;

function driverWarnings(spec: DriverSpec, before: DriverSpec | undefined): string[] {
  const requests = list(spec.tokenRequests);
  if (requests.length === 0 || tokenInSecrets(spec) !== undefined) return [];
  if (before !== undefined && semanticEqual(requests, before.tokenRequests)) return [];
  return [
    'spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible logging of tokens in volume attributes',
  ];
}

export const csiDriverStrategy: Strategy<Driver> = {
  default({ spec }) {
    spec.attachRequired ??= true;
    spec.podInfoOnMount ??= false;
    spec.storageCapacity ??= false;
    spec.fsGroupPolicy ??= 'ReadWriteOnceWithFSType';
    if (list(spec.volumeLifecycleModes).length === 0) spec.volumeLifecycleModes = ['Persistent'];
    spec.requiresRepublish ??= false;
    spec.seLinuxMount ??= false;
  },
  generationChanged: (driver, old) => !semanticEqual(driver.spec, old.spec),
  validate: (_ctx, driver) => checkDriver(driver),
  validateUpdate(_ctx, driver, old) {
    const out = checkDriver(driver);
    checkImmutable(out, SPEC.child('attachedRequired'), driver.spec.attachRequired, old.spec.attachRequired);
    const modes = SPEC.child('volumeLifecycleModes');
    checkImmutable(out, modes, driver.spec.volumeLifecycleModes, old.spec.volumeLifecycleModes);
    return out;
  },
  warnings: (_ctx, driver, old) => driverWarnings(driver.spec, old?.spec),
  cells(driver, nowMs) {
    const { spec } = driver;
    return {
      cells: [
        nameCell(driver),
        spec.attachRequired ?? true,
        spec.podInfoOnMount ?? false,
        spec.storageCapacity ?? false,
        spec.tokenRequests?.map(({ audience }) => audience).join(',') ?? UNSET,
        spec.requiresRepublish ?? false,
        list(spec.volumeLifecycleModes).join(',') || NONE,
        ageCell(driver, nowMs),
      ],
    };
  },
};

interface CsiNode extends KubeObject {
  spec: { drivers: Wire<k8s.V1CSINodeDriver>[] | null };
}
type NodeDriver = NonNullable<DeepReadonly<CsiNode>['spec']['drivers']>[number];

const MAX_NODE_ID = 256;

function checkNodeDriver(out: FieldError[], at: FieldPath, driver: NodeDriver, names: Set<string>): void {
  const { name, nodeID, allocatable, topologyKeys } = driver;
  checkCsiDriverName(out, at.child('name'), name);
  if (nodeID === '') out.push(required(at.child('nodeID')));
  if (goLength(nodeID) > MAX_NODE_ID)
    out.push(invalid(at.child('nodeID'), nodeID, `must be ${MAX_NODE_ID} characters or less`));
  checkNonNegative(out, at.child('allocatable', 'count'), allocatable?.count);
  if (names.has(name)) out.push(duplicate(at.child('name'), name));
  names.add(name);
  const keys = new Set<string>();
  for (const key of list(topologyKeys)) {
    if (key === '') out.push(required(at));
    if (keys.has(key)) out.push(duplicate(at, key));
    keys.add(key);
    checkQualifiedName(out, at, key);
  }
}

function checkCsiNode({ spec }: DeepReadonly<CsiNode>): FieldError[] {
  const out = errorList();
  const names = new Set<string>();
  const at = SPEC.child('drivers');
  list(spec.drivers).forEach((driver, i) => checkNodeDriver(out, at.index(i), driver, names));
  return out;
}

/** How many volumes a node takes may change; nothing else about a driver that stays. */
const withoutCount = ({ allocatable: _allocatable, ...driver }: NodeDriver): unknown => driver;

export const csiNodeStrategy: Strategy<CsiNode> = {
  validate: (_ctx, node) => checkCsiNode(node),
  validateUpdate(_ctx, node, old) {
    const out = errorList();
    // Upstream runs the rules of creation twice.
    for (let round = 0; round < 2; round++) {
      checkMetadataAgain(out, node, CLUSTER);
      for (const one of checkCsiNode(node)) out.push(one);
    }
    const byName = new Map<string, NodeDriver[]>();
    for (const now of list(node.spec.drivers)) {
      const others = byName.get(now.name);
      if (others === undefined) byName.set(now.name, [now]);
      else others.push(now);
    }
    for (const before of list(old.spec.drivers))
      for (const now of byName.get(before.name) ?? []) {
        if (semanticEqual(withoutCount(now), withoutCount(before))) continue;
        out.push(invalid(SPEC.child('drivers'), goForm('CSINodeDriver', withoutCount(now)), FIELD_IMMUTABLE));
      }
    return out;
  },
  cells: (node, nowMs) => ({ cells: [nameCell(node), list(node.spec.drivers).length, ageCell(node, nowMs)] }),
};

interface Capacity extends KubeObject {
  nodeTopology?: LabelSelector;
  storageClassName: string;
  capacity?: string;
}

function checkCapacity(capacity: DeepReadonly<Capacity>): FieldError[] {
  const out = errorList();
  checkSelector(out, path('nodeTopology'), capacity.nodeTopology);
  checkDnsSubdomain(out, path('storageClassName'), capacity.storageClassName);
  if (capacity.capacity !== undefined && quantitySign(capacity.capacity) < 0)
    out.push(invalid(path('capacity'), capacity.capacity, 'must be greater than or equal to 0'));
  return out;
}

function topologyWarnings(topology: DeepReadonly<LabelSelector> | undefined): string[] {
  const expressions = list(topology?.matchExpressions).flatMap(({ key }, i) => {
    const text = DEPRECATED_NODE_LABELS[key];
    return text === undefined ? [] : [`nodeTopology.matchExpressions[${i}].key: ${key} is ${text}`];
  });
  const labels = sortedEntries(topology?.matchLabels).flatMap(([key]) => {
    const text = DEPRECATED_NODE_LABELS[key];
    return text === undefined ? [] : [`nodeTopology.matchLabels.${key}: ${text}`];
  });
  return [...expressions, ...labels];
}

export const csiStorageCapacityStrategy: Strategy<Capacity> = {
  validate: (_ctx, capacity) => checkCapacity(capacity),
  validateUpdate(_ctx, capacity, old) {
    const out = errorList();
    checkMetadataAgain(out, capacity, { namespaced: true, name: nameIsDnsSubdomain });
    for (const one of checkCapacity(capacity)) out.push(one);
    checkImmutable(out, path('nodeTopology'), capacity.nodeTopology, old.nodeTopology);
    checkImmutable(out, path('storageClassName'), capacity.storageClassName, old.storageClassName);
    return out;
  },
  warnings: (_ctx, capacity) => topologyWarnings(capacity.nodeTopology),
  cells: capacity => ({
    cells: [nameCell(capacity), capacity.storageClassName, capacity.capacity ?? UNSET],
  }),
};

interface Attachment extends KubeObject {
  spec: Wire<k8s.V1VolumeAttachmentSpec>;
  status?: Wire<k8s.V1VolumeAttachmentStatus>;
}

const MAX_METADATA_BYTES = 256 * 1024;
const MAX_MESSAGE = 1024;

function checkVolumeError(out: FieldError[], at: FieldPath, error: Wire<k8s.V1VolumeError> | undefined): void {
  if (error === undefined) return;
  // Upstream names the bound of the metadata in this message.
  if (goLength(error.message ?? '') > MAX_MESSAGE) out.push(tooLong(at.child('message'), MAX_METADATA_BYTES));
  if (error.errorCode !== undefined && error.errorCode < 0)
    out.push(invalid(at.child('errorCode'), error.errorCode, `must be between 0 and ${2 ** 31 - 1}, inclusive`));
}

function checkAttachmentSource(out: FieldError[], source: DeepReadonly<Attachment>['spec']['source']): void {
  const at = SPEC.child('source');
  const { inlineVolumeSpec: inline, persistentVolumeName: name } = source;
  const oneOf = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName';
  if (inline === undefined && name === undefined) out.push(required(at, oneOf));
  else if (inline !== undefined && name !== undefined) out.push(forbidden(at, oneOf));
  else if (name === '')
    out.push(required(at.child('persistentVolumeName'), 'must specify non empty persistentVolumeName'));
  else if (inline !== undefined)
    checkVolumeSpec(out, inline, { root: at.child('inlineVolumeSpec'), name: '', inline: true });
}

function checkAttachment({ spec, status }: DeepReadonly<Attachment>): FieldError[] {
  const out = errorList();
  if (spec.attacher === '') out.push(required(SPEC.child('attacher')));
  checkAttachmentSource(out, spec.source);
  checkDnsSubdomain(out, SPEC.child('nodeName'), spec.nodeName);
  const at = path('status');
  let size = 0;
  for (const [key, value] of Object.entries(status?.attachmentMetadata ?? {})) size += goLength(key) + goLength(value);
  if (size > MAX_METADATA_BYTES) out.push(tooLong(at.child('attachmentMetadata'), MAX_METADATA_BYTES));
  checkVolumeError(out, at.child('attachError'), status?.attachError);
  checkVolumeError(out, at.child('detachError'), status?.detachError);
  return out;
}

function checkAttachmentUpdate(now: DeepReadonly<Attachment>, old: DeepReadonly<Attachment>): FieldError[] {
  const out = errorList();
  checkMetadataAgain(out, now, CLUSTER);
  for (const one of checkAttachment(now)) out.push(one);
  const { spec } = now;
  checkImmutable(out, SPEC, spec, old.spec, goForm('VolumeAttachmentSpec', spec));
  return out;
}

export const volumeAttachmentStrategy: Strategy<Attachment> = {
  validate(_ctx, attachment) {
    const out = checkAttachment(attachment);
    const { attacher, source } = attachment.spec;
    checkCsiDriverName(out, SPEC.child('attacher'), attacher);
    if (source.persistentVolumeName !== undefined)
      checkDnsSubdomain(out, SPEC.child('source', 'persistentVolumeName'), source.persistentVolumeName);
    return out;
  },
  validateUpdate: (_ctx, attachment, old) => checkAttachmentUpdate(attachment, old),
  subresources: {
    status: {
      kind: 'part',
      validateUpdate: (_ctx, object, old) =>
        checkAttachmentUpdate(object as DeepReadonly<Attachment>, old as DeepReadonly<Attachment>),
    },
  },
};
