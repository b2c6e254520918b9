import { API_SERVICES } from '../aggregation/api-service.js';
import type { SystemObject } from './system-objects.js';

/** Orders groups in /apis and versions within a group: the greater comes first. Upstream's numbers. */
interface Priority {
  readonly group: number;
  /** 15 unless said. */
  readonly versions?: Readonly<Record<string, number>>;
}

/** kubernetes pkg/controlplane/apiserver/aggregator.go; the aggregator does not list its own group. */
const PRIORITIES: Readonly<Record<string, Priority>> = {
  '': { group: 18_000, versions: { v1: 1 } },
  apps: { group: 17_800 },
  'events.k8s.io': { group: 17_750 },
  'authentication.k8s.io': { group: 17_700 },
  'authorization.k8s.io': { group: 17_600 },
  autoscaling: { group: 17_500, versions: { v2: 30 } },
  batch: { group: 17_400 },
  'certificates.k8s.io': { group: 17_300 },
  'networking.k8s.io': { group: 17_200 },
  policy: { group: 17_100 },
  'rbac.authorization.k8s.io': { group: 17_000 },
  'storage.k8s.io': { group: 16_800 },
  'admissionregistration.k8s.io': { group: 16_700 },
  'apiextensions.k8s.io': { group: 16_700 },
  'scheduling.k8s.io': { group: 16_600 },
  'coordination.k8s.io': { group: 16_500 },
  'node.k8s.io': { group: 16_300 },
  'discovery.k8s.io': { group: 16_200 },
  'resource.k8s.io': { group: 16_200, versions: { v1: 21 } },
  'flowcontrol.apiserver.k8s.io': { group: 16_100, versions: { v1: 21 } },
};

export interface GroupVersion {
  readonly group: string;
  readonly version: string;
}

/** What the API of custom resources counts, wherever it is not said (pkg/controlplane/controller/crdregistration). */
export const CUSTOM_PRIORITY = { group: 1_000, version: 100 };

/** Of the group of APIServices, which has none: it stands first. */
const REGISTRATION = { group: 20_000, version: 0 };

/** How a group-version that this server serves counts in discovery. */
export function localPriority({ group, version }: GroupVersion): { readonly group: number; readonly version: number } {
  if (group === 'apiregistration.k8s.io') return REGISTRATION;
  const known = PRIORITIES[group];
  return known === undefined ? CUSTOM_PRIORITY : { group: known.group, version: known.versions?.[version] ?? 15 };
}

/** The APIServices by which the API server says which group-versions it serves itself. */
export const localApiServices = (served: readonly GroupVersion[]): SystemObject[] =>
  served.flatMap(({ group, version }) => {
    const priority = PRIORITIES[group];
    if (priority === undefined) return [];
    const object = {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: `${version}.${group}`, labels: { 'kube-aggregator.kubernetes.io/automanaged': 'onstart' } },
      spec: {
        ...(group === '' ? {} : { group }),
        version,
        groupPriorityMinimum: priority.group,
        versionPriority: priority.versions?.[version] ?? 15,
      },
    };
    return [{ resource: API_SERVICES, object }];
  });
