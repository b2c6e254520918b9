import type * as k8s from '@kubernetes/client-node';
import type { DeepReadonly, KubeObject, Service, Wire } from '../types.js';
import { onlyKnown, type QuotaEvaluator } from './evaluator.js';
import { addLists, compareAmounts, maxLists, roundUp } from './resource-list.js';
import { namesMatch } from './scopes.js';

const SERVICES = ['count/services', 'services', 'services.nodeports', 'services.loadbalancers'];

export const serviceEvaluator: QuotaEvaluator = {
  resource: 'services',
  matchingResources: names => onlyKnown(names, SERVICES),
  matchesScope: () => false,
  // Updates too: the type may change.
  handles: ({ subresource }) => subresource === '',
  usage(item) {
    const { spec } = item as DeepReadonly<Service>;
    const ports = spec?.ports ?? [];
    const isBalanced = spec?.type === 'LoadBalancer';
    // Ports are not allocated yet: it is the intent that counts.
    const withNodePort =
      isBalanced && spec.allocateLoadBalancerNodePorts === false
        ? ports.filter(port => (port.nodePort ?? 0) !== 0)
        : ports;
    const hasNodePorts = isBalanced || spec?.type === 'NodePort';
    return {
      'count/services': '1',
      services: '1',
      'services.loadbalancers': isBalanced ? '1' : '0',
      'services.nodeports': String(hasNodePorts ? withNodePort.length : 0),
    };
  },
};

type Claim = DeepReadonly<KubeObject> & {
  readonly spec?: DeepReadonly<Wire<k8s.V1PersistentVolumeClaimSpec>>;
  readonly status?: DeepReadonly<Wire<k8s.V1PersistentVolumeClaimStatus>>;
};

const CLAIM_COUNT = 'count/persistentvolumeclaims';
const CLAIMS = ['persistentvolumeclaims', 'requests.storage'];
const BY_CLASS = '.storageclass.storage.k8s.io/';
const BETA_CLASS = 'volume.beta.kubernetes.io/storage-class';

/** Classes of volume attributes that a claim has, had or is getting. */
function attributesClasses({ spec, status }: Claim): string[] {
  const names = [
    spec?.volumeAttributesClassName,
    status?.currentVolumeAttributesClassName,
    status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
  ];
  return [...new Set(names.flatMap(name => (name ? [name] : [])))];
}

const allocated = ({ status }: Claim): string => status?.allocatedResources?.['storage'] ?? '0';

function statusMatters(now: Claim, old: Claim): boolean {
  if (compareAmounts(allocated(now), allocated(old)) !== 0) return true;
  return attributesClasses(now).sort().join() !== attributesClasses(old).sort().join();
}

/** Bytes that count: what is asked for, or what a failed expansion still holds. */
function claimedStorage(claim: Claim): string | undefined {
  const asked = claim.spec?.resources?.requests?.['storage'];
  if (asked === undefined) return undefined;
  return roundUp(maxLists({ storage: asked }, { storage: allocated(claim) })['storage'] ?? asked);
}

export const claimEvaluator: QuotaEvaluator = {
  resource: 'persistentvolumeclaims',
  matchingResources: names =>
    names.filter(
      name => name === CLAIM_COUNT || CLAIMS.includes(name) || CLAIMS.some(known => name.endsWith(BY_CLASS + known)),
    ),
  matchesScope: (claim, requirement) =>
    requirement.scopeName === 'VolumeAttributesClass' && namesMatch(requirement, attributesClasses(claim)),
  handles: ({ subresource, object, old }) =>
    subresource === '' || (subresource === 'status' && old !== undefined && statusMatters(object, old)),
  usage(item) {
    const claim = item as Claim;
    const usage: Record<string, string> = { [CLAIM_COUNT]: '1', persistentvolumeclaims: '1' };
    const className = claim.metadata.annotations?.[BETA_CLASS] ?? claim.spec?.storageClassName ?? '';
    if (className !== '') usage[`${className}${BY_CLASS}persistentvolumeclaims`] = '1';
    const storage = claimedStorage(claim);
    if (storage !== undefined) {
      usage['requests.storage'] = storage;
      if (className !== '') usage[`${className}${BY_CLASS}requests.storage`] = storage;
    }
    return usage;
  },
};

interface DeviceRequest {
  readonly deviceClassName?: string;
  readonly allocationMode?: string;
  readonly count?: number;
}
interface DeviceSpec {
  readonly devices?: {
    readonly requests?: readonly {
      readonly exactly?: DeviceRequest;
      readonly firstAvailable?: readonly DeviceRequest[];
    }[];
  };
}

const DEVICE_CLAIM_COUNT = 'count/resourceclaims.resource.k8s.io';
const BY_DEVICE_CLASS = '.deviceclass.resource.k8s.io/devices';
/** How many devices a claim can get at most. */
const MAX_DEVICES = 32;

const devicesOf = ({ deviceClassName = '', allocationMode, count = 0 }: DeviceRequest): Record<string, string> => ({
  [deviceClassName + BY_DEVICE_CLASS]: String(
    allocationMode === 'ExactCount' ? count : allocationMode === 'All' ? MAX_DEVICES : 0,
  ),
});

export const deviceClaimEvaluator: QuotaEvaluator = {
  resource: 'resourceclaims.resource.k8s.io',
  matchingResources: names => names.filter(name => name === DEVICE_CLAIM_COUNT || name.endsWith(BY_DEVICE_CLASS)),
  matchesScope: () => false,
  handles: ({ subresource }) => subresource === '',
  usage(item) {
    const spec = item['spec'] as DeviceSpec | undefined;
    // Of alternatives the worst one counts.
    const perRequest = (spec?.devices?.requests ?? []).map(({ exactly, firstAvailable = [] }) =>
      firstAvailable.length > 0
        ? firstAvailable.map(devicesOf).reduce(maxLists, {})
        : exactly === undefined
          ? {}
          : devicesOf(exactly),
    );
    return perRequest.reduce(addLists, { [DEVICE_CLAIM_COUNT]: '1' });
  },
};

/** Resources that had a quota name of their own before "count/<resource>" counted them all. */
const ALIASES: Readonly<Record<string, string>> = {
  configmaps: 'configmaps',
  resourcequotas: 'resourcequotas',
  replicationcontrollers: 'replicationcontrollers',
  secrets: 'secrets',
};

/** Counts objects. `resource` is a resourceId. */
export function countEvaluator(resource: string): QuotaEvaluator {
  const alias = ALIASES[resource];
  const names = [`count/${resource}`, ...(alias === undefined ? [] : [alias])];
  const usage = Object.fromEntries(names.map(name => [name, '1']));
  return {
    resource,
    matchingResources: asked => onlyKnown(asked, names),
    matchesScope: () => false,
    handles: ({ operation, subresource }) => operation === 'CREATE' && subresource === '',
    usage: () => usage,
  };
}
