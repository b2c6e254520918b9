import type * as k8s from '@kubernetes/client-node';
import type { DeepReadonly, KubeObject, Wire } from '../../machinery/types.js';

export const API_SERVICES = 'apiservices.apiregistration.k8s.io';

export interface ApiService extends KubeObject {
  spec?: Wire<k8s.V1APIServiceSpec>;
  status?: Wire<k8s.V1APIServiceStatus>;
}
export type ReadonlyApiService = DeepReadonly<ApiService>;
export type Condition = NonNullable<NonNullable<ApiService['status']>['conditions']>[number];

/** A group-version that another server serves. */
export interface RemoteApi {
  /** Of its APIService. */
  readonly name: string;
  readonly group: string;
  readonly version: string;
  readonly service: { readonly namespace: string; readonly name: string; readonly port: number };
  /** PEM; undefined: the authorities that this machine trusts. */
  readonly ca: string | undefined;
  readonly insecure: boolean;
  readonly groupPriority: number;
  readonly versionPriority: number;
}

/** undefined: this server serves it. */
export function remoteApi({ metadata, spec }: ReadonlyApiService): RemoteApi | undefined {
  const { service, group = '', version = '', caBundle = '' } = spec ?? {};
  if (spec === undefined || service === undefined) return undefined;
  return {
    name: metadata.name ?? '',
    group,
    version,
    service: { namespace: service.namespace ?? '', name: service.name ?? '', port: service.port ?? 443 },
    ca: caBundle === '' ? undefined : Buffer.from(caBundle, 'base64').toString('latin1'),
    insecure: spec.insecureSkipTLSVerify === true,
    groupPriority: spec.groupPriorityMinimum,
    versionPriority: spec.versionPriority,
  };
}

export const availableCondition = ({ status }: ReadonlyApiService): DeepReadonly<Condition> | undefined =>
  status?.conditions?.find(({ type }) => type === 'Available');

export const isAvailable = (service: ReadonlyApiService): boolean => availableCondition(service)?.status === 'True';

/** What every server answers about a group-version: its discovery document. "v1." stands for the API without a group. */
export const groupVersionPath = ({ name, group, version }: Pick<RemoteApi, 'name' | 'group' | 'version'>): string =>
  name === 'v1.' ? `/api/${version}` : `/apis/${group}/${version}`;
