import type * as k8s from '@kubernetes/client-node';
import { certificatesOf } from '../../machinery/x509/authorities.js';
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
  /** Whether there is any certificate in it. */
  readonly caIsReadable: boolean;
  readonly insecure: boolean;
  readonly groupPriority: number;
  readonly versionPriority: number;
}

function isReadable(pem: string): boolean {
  try {
    return certificatesOf(pem).length > 0;
  } catch {
    // Whatever it is, it is no certificate.
    return false;
  }
}

const known = new WeakMap<ReadonlyApiService, { readonly api: RemoteApi | undefined }>();

/** undefined: this server serves it. Read once from each state of an APIService. */
export function remoteApi(service: ReadonlyApiService): RemoteApi | undefined {
  let found = known.get(service);
  if (found === undefined) known.set(service, (found = { api: read(service) }));
  return found.api;
}

function read({ metadata, spec }: ReadonlyApiService): RemoteApi | undefined {
  const { service, group = '', version = '', caBundle = '' } = spec ?? {};
  if (spec === undefined || service === undefined) return undefined;
  const ca = caBundle === '' ? undefined : Buffer.from(caBundle, 'base64').toString('latin1');
  return {
    name: metadata.name ?? '',
    group,
    version,
    service: { namespace: service.namespace ?? '', name: service.name ?? '', port: service.port ?? 443 },
    ca,
    caIsReadable: ca === undefined || isReadable(ca),
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
