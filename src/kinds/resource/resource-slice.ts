import type * as k8s from '@kubernetes/client-node';
import { errorList, invalid, path, required, tooLong, tooMany } from '../../machinery/field-error.js';
import type { FieldError, FieldPath } from '../../machinery/field-error.js';
import { goLength } from '../../machinery/go-text.js';
import type { DeepReadonly, KubeObject, Wire } from '../../machinery/types.js';
import { nameIsDnsSubdomain } from '../../machinery/validation/names.js';
import type { RequestContext, Strategy } from '../../api/strategy.js';
import { checkCsiDriverName } from '../storage/validation/csi.js';
import { checkDeviceQualifiedName, checkPoolName, checkSet } from './validation/devices.js';
import { checkDnsLabel, checkImmutable, list, sortedEntries } from '../validation/formats.js';
import { goForm } from '../validation/go-form.js';
import { checkNodeSelector } from '../core/pod/validation/scheduling.js';
import { ageCell, nameCell, UNSET } from '../cells.js';

interface Slice extends KubeObject {
  spec?: Wire<k8s.V1ResourceSliceSpec>;
}
type ReadonlySlice = DeepReadonly<Slice>;
type Spec = NonNullable<ReadonlySlice['spec']>;
type Device = NonNullable<Spec['devices']>[number];
type Attribute = NonNullable<Device['attributes']>[string];

const SPEC = path('spec');
const MAX_DEVICES = 128;
const MAX_ATTRIBUTES = 32;
const MAX_VALUE = 64;
/** Longest key of a map that is printed whole: a domain, a slash and a name. */
const MAX_KEY = 63 + 1 + 32;

const NUMBER = String.raw`(0|[1-9]\d*)`;
const PRERELEASE = String.raw`(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)`;
const BUILD = '[0-9a-zA-Z-]+';
const SEMVER = new RegExp(
  String.raw`^${NUMBER}\.${NUMBER}\.${NUMBER}(-${PRERELEASE}(\.${PRERELEASE})*)?(\+${BUILD}(\.${BUILD})*)?$`,
);

/** The middle of a long key is left out. */
function shortened(key: string): string {
  if (key.length <= MAX_KEY) return key;
  const rest = MAX_KEY - 3;
  return `${key.slice(0, Math.floor((rest + 1) / 2))}...${key.slice(key.length - Math.floor(rest / 2))}`;
}

const VALUES = ['bool', 'int', 'string', 'version'] as const;

function checkAttribute(out: FieldError[], at: FieldPath, attribute: Attribute): void {
  const { string: text, version } = attribute as { string?: string; version?: string };
  if (text !== undefined && goLength(text) > MAX_VALUE) out.push(tooLong(at.child('string'), MAX_VALUE));
  if (version !== undefined) {
    if (!SEMVER.test(version))
      out.push(invalid(at.child('version'), version, 'must be a string compatible with semver.org spec 2.0.0'));
    if (goLength(version) > MAX_VALUE) out.push(tooLong(at.child('version'), MAX_VALUE));
  }
  const count = VALUES.filter(field => (attribute as Readonly<Record<string, unknown>>)[field] !== undefined).length;
  if (count !== 1)
    out.push(
      invalid(at, count === 0 ? '' : goForm('DeviceAttribute', attribute), 'exactly one value must be specified'),
    );
}

function checkDevice(out: FieldError[], at: FieldPath, device: Device): void {
  checkDnsLabel(out, at.child('name'), device.name);
  const [attributes, capacity] = [sortedEntries(device.attributes), sortedEntries(device.capacity)];
  const total = attributes.length + capacity.length;
  if (total > MAX_ATTRIBUTES)
    out.push(invalid(at, total, `the total number of attributes and capacities must not exceed ${MAX_ATTRIBUTES}`));
  for (const [key, attribute] of attributes) {
    const field = at.child('attributes').key(shortened(key));
    checkDeviceQualifiedName(out, field, key);
    checkAttribute(out, field, attribute);
  }
  for (const [key] of capacity) checkDeviceQualifiedName(out, at.child('capacity').key(shortened(key)), key);
}

/** Where the devices are: on a node, on some, or on all. */
function checkNodes(out: FieldError[], spec: Spec): void {
  const set: string[] = [];
  const { nodeName, nodeSelector, allNodes } = spec;
  if (nodeName) {
    set.push('`nodeName`');
    for (const text of nameIsDnsSubdomain(nodeName, false)) out.push(invalid(SPEC.child('nodeName'), nodeName, text));
  } else if (nodeName !== undefined)
    out.push(invalid(SPEC.child('nodeName'), nodeName, 'must be either unset or set to a non-empty string'));
  if (nodeSelector !== undefined) {
    set.push('`nodeSelector`');
    const at = SPEC.child('nodeSelector');
    checkNodeSelector(out, at, nodeSelector);
    const terms = list(nodeSelector.nodeSelectorTerms);
    if (terms.length !== 1) {
      const shown = goForm('AllocationNodeSelector', nodeSelector)['NodeSelectorTerms'] ?? null;
      out.push(invalid(at.child('nodeSelectorTerms'), shown, 'must have exactly one node selector term'));
    }
  }
  if (allNodes === true) set.push('`allNodes`');
  else if (allNodes === false)
    out.push(invalid(SPEC.child('allNodes'), allNodes, 'must be either unset or set to true'));
  const text = 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required';
  if (set.length === 0) out.push(required(SPEC, text));
  else if (set.length > 1) out.push(invalid(SPEC, `{${set.join(', ')}}`, `${text}, but multiple fields are set`));
}

function checkSlice({ spec }: ReadonlySlice, old?: ReadonlySlice): FieldError[] {
  const out = errorList();
  const { driver = '', pool, devices }: Partial<Spec> = spec ?? {};
  checkCsiDriverName(out, SPEC.child('driver'), driver);
  const at = SPEC.child('pool');
  checkPoolName(out, at.child('name'), pool?.name ?? '');
  const { resourceSliceCount = 0, generation = 0 } = pool ?? {};
  if (resourceSliceCount <= 0)
    out.push(invalid(at.child('resourceSliceCount'), resourceSliceCount, 'must be greater than zero'));
  if (generation < 0) out.push(invalid(at.child('generation'), generation, 'must be greater than or equal to zero'));
  if (old !== undefined) {
    checkImmutable(out, at.child('name'), pool?.name ?? '', old.spec?.pool?.name ?? '');
    checkImmutable(out, SPEC.child('driver'), driver, old.spec?.driver ?? '');
    checkImmutable(out, SPEC.child('nodeName'), spec?.nodeName, old.spec?.nodeName);
  }
  checkNodes(out, spec ?? ({} as Spec));
  const all = list(devices);
  if (all.length > MAX_DEVICES) out.push(tooMany(SPEC.child('devices'), all.length, MAX_DEVICES));
  else checkSet(out, SPEC.child('devices'), all, MAX_DEVICES, checkDevice, ({ name }) => name);
  return out;
}

/**
 * DRADeviceTaints, DRAPartitionableDevices, DRADeviceBindingConditions and DRAConsumableCapacity are off: what they add
 * cannot be set. Mutates.
 */
function dropFeatures(_ctx: RequestContext, { spec }: Slice): void {
  if (spec === undefined) return;
  delete spec.sharedCounters;
  delete spec.perDeviceNodeSelection;
  for (const device of spec.devices ?? []) {
    for (const field of DEVICE_FEATURES) delete device[field];
    for (const capacity of Object.values(device.capacity ?? {})) delete capacity.requestPolicy;
  }
}

const DEVICE_FEATURES = [
  'taints',
  'consumesCounters',
  'nodeName',
  'nodeSelector',
  'allNodes',
  'bindingConditions',
  'bindingFailureConditions',
  'bindsToNode',
  'allowMultipleAllocations',
] as const;

export const resourceSliceStrategy: Strategy<Slice> = {
  prepareForCreate: dropFeatures,
  prepareForUpdate: dropFeatures,
  validate: (_ctx, slice) => checkSlice(slice),
  validateUpdate: (_ctx, slice, old) => checkSlice(slice, old),
  warnings(_ctx, { spec }) {
    const driver = spec?.driver ?? '';
    if (driver === driver.toLowerCase()) return [];
    return [`spec.driver: driver names should be lowercase; ${JSON.stringify(driver)} contains uppercase characters`];
  },
  unknownFieldLabel: field => `field label not supported for resource.k8s.io/v1, Kind=ResourceSlice: ${field}`,
  cells(slice, nowMs) {
    const { nodeName, driver = '', pool }: Partial<Spec> = slice.spec ?? {};
    return { cells: [nameCell(slice), nodeName ?? UNSET, driver, pool?.name ?? '', ageCell(slice, nowMs)] };
  },
};
