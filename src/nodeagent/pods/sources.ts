import type { Client, ResourceClient } from '../../client/types.js';
import {
  CONFIG_MAPS,
  PERSISTENT_VOLUME_CLAIMS,
  PERSISTENT_VOLUMES,
  RESOURCE_CLAIMS,
  SECRETS,
  SERVICE_ACCOUNTS,
} from '../../client/resources.js';
import type { Clock } from '../../machinery/clock.js';
import { isStatusError } from '../../machinery/status.js';
import type {
  ConfigMap,
  KubeObject,
  PersistentVolume,
  PersistentVolumeClaim,
  ResourceClaim,
  Secret,
} from '../../machinery/types.js';

/** ConfigMaps, Secrets and tokens that Pods refer to. */
export interface Sources {
  /** Undefined when there is none of that name. */
  configMap(namespace: string, name: string): Promise<ConfigMap | undefined>;
  secret(namespace: string, name: string): Promise<Secret | undefined>;
  resourceClaim(namespace: string, name: string): Promise<ResourceClaim | undefined>;
  volumeClaim(namespace: string, name: string): Promise<PersistentVolumeClaim | undefined>;
  volume(name: string): Promise<PersistentVolume | undefined>;
  /** A service account token bound to the Pod. */
  token(request: {
    namespace: string;
    serviceAccount: string;
    pod: { name: string; uid: string };
    audience?: string;
    expirationSeconds?: number;
  }): Promise<string>;
}

/** As long as the kubelet's own cache would answer when many Pods of one Deployment start together. */
const FRESH_MS = 1_000;

/** Reads from the API; Pods that start at the same time share a request. */
export function createSources(client: Client, clock: Clock): Sources {
  const cached = <T extends KubeObject>(resource: ResourceClient<T>) => {
    const known = new Map<string, { at: number; value: Promise<T | undefined> }>();
    return (namespace: string, name: string): Promise<T | undefined> => {
      const key = `${namespace}/${name}`;
      const hit = known.get(key);
      if (hit !== undefined && clock.monotonic() - hit.at < FRESH_MS) return hit.value;
      const value = resource.get({ namespace, name }).catch((error: unknown) => {
        if (isStatusError(error, 'NotFound')) return undefined;
        known.delete(key);
        throw error;
      });
      known.set(key, { at: clock.monotonic(), value });
      clock.after(FRESH_MS, () => known.delete(key), { unref: true, work: true });
      return value;
    };
  };
  const volumes = cached(client.resource<PersistentVolume>(PERSISTENT_VOLUMES));
  const accounts = client.resource(SERVICE_ACCOUNTS);
  return {
    configMap: cached(client.resource<ConfigMap>(CONFIG_MAPS)),
    secret: cached(client.resource<Secret>(SECRETS)),
    volumeClaim: cached(client.resource<PersistentVolumeClaim>(PERSISTENT_VOLUME_CLAIMS)),
    volume: name => volumes('', name),
    resourceClaim: cached(client.resource<ResourceClaim>(RESOURCE_CLAIMS)),
    async token({ namespace, serviceAccount, pod, audience, expirationSeconds = 3600 }) {
      const answer = await accounts.createSubresource({ namespace, name: serviceAccount }, 'token', {
        kind: 'TokenRequest',
        apiVersion: 'authentication.k8s.io/v1',
        spec: {
          expirationSeconds,
          ...(audience === undefined ? {} : { audiences: [audience] }),
          boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: pod.name, uid: pod.uid },
        },
      });
      return (answer as { status?: { token?: string } }).status?.token ?? '';
    },
  };
}
