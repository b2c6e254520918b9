import type * as k8s from '@kubernetes/client-node';
import { duplicate, errorList, invalid, notSupported, path, required } from '../../machinery/field-error.js';
import type { FieldError } from '../../machinery/field-error.js';
import { semanticEqual } from '../../machinery/json-equal.js';
import type { DeepReadonly, KubeObject, Wire } from '../../machinery/types.js';
import type { Strategy } from '../../api/strategy.js';
import { checkImmutable, list } from '../validation/formats.js';
import { ageCell, nameCell, NONE, UNSET } from '../cells.js';

const SPEC = path('spec');

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
