import { API_SERVICES, CLUSTER_ROLES, ENDPOINT_SLICES, SERVICES } from '../client/resources.js';
import type { Client, ResourceRef } from '../client/types.js';
import { familyOf } from '../machinery/ip.js';
import { isStatusError } from '../machinery/status.js';
import { jsonEqual } from '../machinery/json-equal.js';
import type { KubeObject } from '../machinery/types.js';

const NAMESPACE = 'kube-system';
export const SERVICE_NAME = 'metrics-server';
const LABELS = { 'k8s-app': SERVICE_NAME };
/** Whose the objects are: what somebody else has installed under the same names is left alone. */
const MANAGED_BY = 'app.kubernetes.io/managed-by';
const MANAGER = 'metrics.kubette.dev';
const OWN = { ...LABELS, [MANAGED_BY]: MANAGER };

export interface Published {
  /** Where this machine is, as Pods see it. */
  readonly hostAddress: string;
  readonly port: number;
  /** PEM: who has signed the serving certificate. */
  readonly ca: string;
}

const service = (): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: SERVICE_NAME, namespace: NAMESPACE, labels: OWN },
  spec: { ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: 'https' }] },
});

const slice = ({ hostAddress, port }: Published, owner: KubeObject): KubeObject => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: {
    name: `${SERVICE_NAME}-host`,
    namespace: NAMESPACE,
    labels: { 'kubernetes.io/service-name': SERVICE_NAME, 'endpointslice.kubernetes.io/managed-by': MANAGER, ...OWN },
    ownerReferences: [{ apiVersion: 'v1', kind: 'Service', name: SERVICE_NAME, uid: owner.metadata.uid ?? '' }],
  },
  addressType: familyOf(hostAddress) ?? 'IPv4',
  endpoints: [{ addresses: [hostAddress], conditions: { ready: true, serving: true, terminating: false } }],
  ports: [{ name: 'https', port, protocol: 'TCP' }],
});

const apiService = ({ ca }: Published): KubeObject => ({
  apiVersion: 'apiregistration.k8s.io/v1',
  kind: 'APIService',
  metadata: { name: 'v1beta1.metrics.k8s.io', labels: OWN },
  spec: {
    group: 'metrics.k8s.io',
    version: 'v1beta1',
    service: { namespace: NAMESPACE, name: SERVICE_NAME, port: 443 },
    caBundle: Buffer.from(ca).toString('base64'),
    groupPriorityMinimum: 100,
    versionPriority: 100,
  },
});

/** What metrics-server's manifest lets users see. */
const readerRole = (): KubeObject => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: {
    name: 'system:aggregated-metrics-reader',
    labels: {
      ...OWN,
      'rbac.authorization.k8s.io/aggregate-to-admin': 'true',
      'rbac.authorization.k8s.io/aggregate-to-edit': 'true',
      'rbac.authorization.k8s.io/aggregate-to-view': 'true',
    },
  },
  rules: [{ apiGroups: ['metrics.k8s.io'], resources: ['pods', 'nodes'], verbs: ['get', 'list', 'watch'] }],
});

/** Makes the object, or brings it to what it should be; undefined: it is somebody else's. */
async function ensure(client: Client, ref: ResourceRef, wanted: KubeObject): Promise<KubeObject | undefined> {
  const { namespace = '', name = '' } = wanted.metadata;
  const resource = client.resource(ref);
  let found: KubeObject;
  try {
    found = await resource.get({ namespace, name });
  } catch (error) {
    if (!isStatusError(error, 'NotFound')) throw error;
    return resource.create(namespace, wanted);
  }
  if (found.metadata.labels?.[MANAGED_BY] !== MANAGER) return undefined;
  const { apiVersion: _apiVersion, kind: _kind, metadata, ...fields } = wanted;
  const owners = metadata.ownerReferences ?? [];
  const isSame =
    jsonEqual(found.metadata.ownerReferences ?? [], owners) &&
    Object.entries(fields).every(([field, value]) => jsonEqual(found[field], value));
  return isSame
    ? found
    : resource.update({ ...found, ...fields, metadata: { ...found.metadata, ownerReferences: owners } });
}

/** Puts this server behind the API server. @throws StatusError */
export async function publish(client: Client, published: Published): Promise<void> {
  const found = await ensureService(client);
  // Somebody has installed one of their own.
  if (found === undefined) return;
  await ensure(client, ENDPOINT_SLICES, slice(published, found));
  await ensure(client, API_SERVICES, apiService(published));
  await ensure(client, CLUSTER_ROLES, readerRole());
}

/** Addresses and defaults of a Service are the API server's business. */
async function ensureService(client: Client): Promise<KubeObject | undefined> {
  const services = client.resource(SERVICES);
  try {
    const found = await services.get({ namespace: NAMESPACE, name: SERVICE_NAME });
    return found.metadata.labels?.[MANAGED_BY] === MANAGER ? found : undefined;
  } catch (error) {
    if (!isStatusError(error, 'NotFound')) throw error;
    return services.create(NAMESPACE, service());
  }
}
