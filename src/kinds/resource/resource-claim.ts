import type * as k8s from '@kubernetes/client-node';
import {
  errorList,
  forbidden,
  invalid,
  notSupported,
  path,
  required,
  tooLong,
  tooMany,
} from '../../machinery/field-error.js';
import type { FieldError, FieldPath } from '../../machinery/field-error.js';
import { goLength } from '../../machinery/go-text.js';
import { semanticEqual } from '../../machinery/json-equal.js';
import type { DeepReadonly, KubeObject, ObjectMeta, Wire } from '../../machinery/types.js';
import { nameIsDnsSubdomain } from '../../machinery/validation/names.js';
import { FIELD_IMMUTABLE } from '../../machinery/validation/object-meta.js';
import type { RequestContext, Strategy, ValidationContext } from '../../api/strategy.js';
import { checkConditions } from '../validation/conditions.js';
import { checkCsiDriverName } from '../storage/validation/csi.js';
import * as devices from './validation/devices.js';
import { checkAnnotations, checkDnsLabel, checkLabels, list } from '../validation/formats.js';
import { goForm } from '../validation/go-form.js';
import { checkMetadataAgain } from '../validation/metadata.js';
import { checkNodeSelector } from '../core/pod/validation/scheduling.js';
import { checkInterfaceAddress } from '../validation/strict-ip.js';
import { ageCell, nameCell } from '../cells.js';

interface Claim extends KubeObject {
  spec?: Wire<k8s.V1ResourceClaimSpec>;
  status?: Wire<k8s.V1ResourceClaimStatus>;
}
type ReadonlyClaim = DeepReadonly<Claim>;
type Status = NonNullable<ReadonlyClaim['status']>;
type Allocation = NonNullable<Status['allocation']>;
type DeviceStatus = NonNullable<Status['devices']>[number];

const SPEC = path('spec');
const STATUS = path('status');
const ADMIN_LABEL = 'resource.kubernetes.io/admin-access';
const MAX_CONSUMERS = 256;
const MAX_RESULTS = 32;
const MAX_CONDITIONS = 8;
const MAX_DATA = 10 * 1024;
const MAX_IPS = 16;

/** Devices in use by others may only be looked at from namespaces that are marked for it. */
function checkAdmin(ctx: ValidationContext, at: FieldPath): FieldError[] {
  const labels = ctx.namespace()?.metadata.labels;
  if (labels?.[ADMIN_LABEL] === 'true') return [];
  const text = `admin access to devices requires the \`${ADMIN_LABEL}: true\` label on the containing namespace`;
  return [forbidden(at, text)];
}

function checkAdminRequest(ctx: ValidationContext, { spec }: ReadonlyClaim): FieldError[] {
  const i = list(spec?.devices?.requests).findIndex(({ exactly }) => exactly?.adminAccess === true);
  // Upstream leaves "exactly" out of this path.
  const at = SPEC.child('devices', 'requests').index(i).child('adminAccess');
  return i < 0 ? [] : checkAdmin(ctx, at);
}

const resultsOf = (claim: ReadonlyClaim) => list(claim.status?.allocation?.devices?.results);

function checkAdminResult(ctx: ValidationContext, claim: ReadonlyClaim, old: ReadonlyClaim): FieldError[] {
  if (resultsOf(old).some(({ adminAccess }) => adminAccess === true)) return [];
  const i = resultsOf(claim).findIndex(({ adminAccess }) => adminAccess === true);
  const at = STATUS.child('allocation', 'devices', 'results').index(i).child('adminAccess');
  return i < 0 ? [] : checkAdmin(ctx, at);
}

const SOURCES = ['FromClaim', 'FromClass'];

function checkAllocation(out: FieldError[], at: FieldPath, allocation: Allocation, known: devices.RequestNames): void {
  const { results, config } = allocation.devices ?? {};
  devices.checkItems(out, at.child('devices', 'results'), list(results), MAX_RESULTS, (errors, field, result) => {
    devices.checkRequestReference(errors, field.child('request'), result.request, known);
    checkCsiDriverName(errors, field.child('driver'), result.driver);
    devices.checkPoolName(errors, field.child('pool'), result.pool);
    checkDnsLabel(errors, field.child('device'), result.device);
  });
  const max = 2 * devices.MAX_CONFIGS;
  devices.checkItems(out, at.child('devices', 'config'), list(config), max, (errors, field, item) => {
    if (item.source === '') errors.push(required(field.child('source')));
    else if (!SOURCES.includes(item.source)) errors.push(notSupported(field.child('source'), item.source, SOURCES));
    devices.checkReferences(errors, field, item.requests, known);
    devices.checkConfiguration(errors, field, item.opaque);
  });
  if (allocation.nodeSelector !== undefined) checkNodeSelector(out, at.child('nodeSelector'), allocation.nodeSelector);
}

interface DeviceId {
  readonly driver: string;
  readonly pool: string;
  readonly device: string;
}
const idOf = ({ driver, pool, device }: DeviceId): string => `${driver}/${pool}/${device}`;
const shownId = ({ driver, pool, device }: DeviceId): unknown => goForm('SharedDeviceID', { driver, pool, device });

const MAX_INTERFACE_NAME = 256;
const MAX_HARDWARE_ADDRESS = 128;

function checkDevice(out: FieldError[], at: FieldPath, device: DeviceStatus, allocated: ReadonlySet<string>): void {
  checkCsiDriverName(out, at.child('driver'), device.driver);
  devices.checkPoolName(out, at.child('pool'), device.pool);
  checkDnsLabel(out, at.child('device'), device.device);
  if (!allocated.has(idOf(device))) out.push(invalid(at, shownId(device), 'must be an allocated device in the claim'));
  const conditions = list(device.conditions);
  if (conditions.length > MAX_CONDITIONS) out.push(tooMany(at.child('conditions'), conditions.length, MAX_CONDITIONS));
  checkConditions(out, at.child('conditions'), conditions);
  if (device.data !== undefined) devices.checkRawObject(out, at.child('data'), device.data, MAX_DATA);
  const { networkData: network } = device;
  if (network === undefined) return;
  const field = at.child('networkData');
  if (goLength(network.interfaceName ?? '') > MAX_INTERFACE_NAME)
    out.push(tooLong(field.child('interfaceName'), MAX_INTERFACE_NAME));
  if (goLength(network.hardwareAddress ?? '') > MAX_HARDWARE_ADDRESS)
    out.push(tooLong(field.child('hardwareAddress'), MAX_HARDWARE_ADDRESS));
  devices.checkSet(out, field.child('ips'), list(network.ips), MAX_IPS, checkInterfaceAddress, address => address);
}

function checkStatus(claim: ReadonlyClaim, old: ReadonlyClaim): FieldError[] {
  const out = errorList();
  const [status, before]: [Status, Status] = [claim.status ?? {}, old.status ?? {}];
  const consumers = list(status.reservedFor);
  const reservedAt = STATUS.child('reservedFor');
  devices.checkSet(
    out,
    reservedAt,
    consumers,
    MAX_CONSUMERS,
    (errors, at, consumer) => {
      for (const field of ['resource', 'name', 'uid'] as const)
        if (!consumer[field]) errors.push(required(at.child(field)));
    },
    ({ uid }) => uid,
  );
  const allocated = new Set(resultsOf(claim).map(idOf));
  const check: Parameters<typeof devices.checkSet<DeviceStatus>>[4] = (errors, at, device) =>
    checkDevice(errors, at, device, allocated);
  devices.checkSet(out, STATUS.child('devices'), list(status.devices), Infinity, check, idOf, shownId);
  if (consumers.length > 0 && status.allocation === undefined)
    out.push(forbidden(reservedAt, 'may not be specified when `allocated` is not set'));
  else if (consumers.length > 0 && claim.metadata.deletionTimestamp !== undefined) {
    const keyOf = ({ apiGroup = '', resource, name, uid }: (typeof consumers)[number]): string =>
      JSON.stringify([apiGroup, resource, name, uid]);
    const known = new Set(list(before.reservedFor).map(keyOf));
    if (consumers.some(consumer => !known.has(keyOf(consumer)))) {
      const text = 'new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set';
      out.push(forbidden(reservedAt, text));
    }
  }
  const at = STATUS.child('allocation');
  if (status.allocation === undefined) return out;
  if (before.allocation === undefined)
    checkAllocation(out, at, status.allocation, devices.requestNames(claim.spec?.devices));
  else if (!semanticEqual(status.allocation, before.allocation))
    out.push(invalid(at, goForm('AllocationResult', status.allocation), FIELD_IMMUTABLE));
  return out;
}

/** What features that are off add, and the state of devices that the claim has lost. Mutates. */
function prepareStatus({ status }: Claim, old: ReadonlyClaim): void {
  if (status === undefined) return;
  for (const result of status.allocation?.devices?.results ?? []) {
    delete result.shareID;
    delete result.consumedCapacity;
    delete result.bindingConditions;
    delete result.bindingFailureConditions;
  }
  if (status.devices === undefined) return;
  const lost = new Set(resultsOf(old).map(idOf));
  for (const result of status.allocation?.devices?.results ?? []) lost.delete(idOf(result));
  for (const device of status.devices) delete device.shareID;
  const left = status.devices.filter(device => !lost.has(idOf(device)));
  if (left.length > 0) status.devices = left;
  else delete status.devices;
}

function stateOf({ metadata, status }: ReadonlyClaim): string {
  const isDeleted = metadata.deletionTimestamp !== undefined;
  const states = isDeleted ? ['deleted'] : [];
  if (status?.allocation !== undefined) states.push('allocated');
  else if (!isDeleted) states.push('pending');
  if (status?.allocation !== undefined && list(status.reservedFor).length > 0) states.push('reserved');
  return states.join(',');
}

const NAMED = { namespaced: true, name: nameIsDnsSubdomain };

export const resourceClaimStrategy: Strategy<Claim> = {
  heavy: devices.HEAVY_SELECTORS,
  default: ({ spec }) => defaultsOf(spec),
  prepareForCreate(_ctx, claim) {
    claim.status = {};
    devices.dropDeviceClaimFeatures(claim.spec?.devices);
  },
  prepareForUpdate: (_ctx, claim) => devices.dropDeviceClaimFeatures(claim.spec?.devices),
  validate(ctx, claim) {
    const out = checkAdminRequest(ctx, claim);
    devices.checkDeviceClaim(out, SPEC.child('devices'), claim.spec?.devices);
    return out;
  },
  validateUpdate(_ctx, claim, old) {
    const out = errorList();
    checkMetadataAgain(out, claim, NAMED);
    if (!semanticEqual(claim.spec, old.spec))
      out.push(invalid(SPEC, goForm('DevicesSpec', claim.spec), FIELD_IMMUTABLE));
    return out;
  },
  cells: (claim, nowMs) => ({ cells: [nameCell(claim), stateOf(claim), ageCell(claim, nowMs)] }),
  subresources: {
    status: {
      kind: 'part',
      prepareForUpdate: (_ctx, object, old) => prepareStatus(object, old),
      validateUpdate: (ctx, object, old) => [...checkAdminResult(ctx, object, old), ...checkStatus(object, old)],
    },
  },
};

const defaultsOf = (spec: Claim['spec']): void => devices.defaultDeviceClaim(spec?.devices);

interface Template extends KubeObject {
  spec?: { metadata?: ObjectMeta; spec?: Wire<k8s.V1ResourceClaimSpec> };
}

/** Claims made of a template take labels and annotations from it, and nothing else. */
function checkTemplateMetadata(out: FieldError[], at: FieldPath, metadata: DeepReadonly<ObjectMeta> | undefined): void {
  const { annotations, labels, ...rest } = metadata ?? {};
  checkAnnotations(out, at.child('annotations'), annotations);
  checkLabels(out, at.child('labels'), labels);
  for (const field of Object.keys(rest)) out.push(forbidden(at.child(field), 'cannot be set'));
}

function checkTemplate({ spec }: DeepReadonly<Template>): FieldError[] {
  const out = errorList();
  checkTemplateMetadata(out, SPEC.child('metadata'), spec?.metadata);
  devices.checkDeviceClaim(out, SPEC.child('spec', 'devices'), spec?.spec?.devices);
  return out;
}

export const resourceClaimTemplateStrategy: Strategy<Template> = {
  heavy: devices.HEAVY_SELECTORS,
  default: ({ spec }) => defaultsOf(spec?.spec),
  prepareForCreate: (_ctx, template) => devices.dropDeviceClaimFeatures(template.spec?.spec?.devices),
  prepareForUpdate: (_ctx, template) => devices.dropDeviceClaimFeatures(template.spec?.spec?.devices),
  validate(ctx, template) {
    const { metadata, spec } = template;
    const claim = { metadata, ...(spec?.spec === undefined ? {} : { spec: spec.spec }) };
    return [...checkAdminRequest(ctx, claim), ...checkTemplate(template)];
  },
  validateUpdate(_ctx, template, old) {
    const out = errorList();
    checkMetadataAgain(out, template, NAMED);
    for (const one of checkTemplate(template)) out.push(one);
    if (semanticEqual(template.spec, old.spec)) return out;
    const { metadata = {}, spec } = template.spec ?? {};
    return [...out, invalid(SPEC, { ...metadata, Spec: goForm('DevicesSpec', spec) }, FIELD_IMMUTABLE)];
  },
  cells: (template, nowMs) => ({ cells: [nameCell(template), ageCell(template, nowMs)] }),
};

interface DeviceClass extends KubeObject {
  spec?: Wire<k8s.V1DeviceClassSpec>;
}

function checkClass({ spec }: DeepReadonly<DeviceClass>): FieldError[] {
  const out = errorList();
  devices.checkSelectors(out, SPEC.child('selectors'), spec?.selectors);
  devices.checkItems(out, SPEC.child('config'), list(spec?.config), devices.MAX_CONFIGS, (errors, at, config) =>
    devices.checkConfiguration(errors, at, config.opaque),
  );
  return out;
}

/** DRAExtendedResource is off. Mutates. */
const dropExtendedResource = (_ctx: RequestContext, { spec }: DeviceClass): void => {
  if (spec !== undefined) delete spec.extendedResourceName;
};

export const deviceClassStrategy: Strategy<DeviceClass> = {
  heavy: devices.HEAVY_SELECTORS,
  prepareForCreate: dropExtendedResource,
  prepareForUpdate: dropExtendedResource,
  validate: (_ctx, deviceClass) => checkClass(deviceClass),
  validateUpdate(_ctx, deviceClass) {
    const out = errorList();
    checkMetadataAgain(out, deviceClass, { namespaced: false, name: nameIsDnsSubdomain });
    return [...out, ...checkClass(deviceClass)];
  },
  cells: (deviceClass, nowMs) => ({ cells: [nameCell(deviceClass), ageCell(deviceClass, nowMs)] }),
};
