import { NAMESPACES, SERVICE_ACCOUNTS } from '../client/resources.js';
import type { RestClient } from '../client/rest-client.js';
import type { ClusterApi } from './cluster-api-types.js';
import { applyAll } from './apply.js';
import { readObjects } from './documents.js';
import { milliseconds } from './duration.js';
import { createResourceNames } from './resource-names.js';
import { traceRequests } from './trace.js';
import type { ApiObject } from './types.js';
import { waitForObject } from './wait-for.js';

const DEFAULT_TIMEOUT = '30s';

export interface ClusterApiOptions {
  readonly client: RestClient;
  /** Of names. */
  readonly uuid: () => string;
  /** Whether somebody makes ServiceAccounts. */
  readonly hasControllers: boolean;
}

export function createClusterApi({ client, uuid, hasControllers }: ClusterApiOptions): ClusterApi {
  const names = createResourceNames(client);
  const api: ClusterApi = {
    async apply(source, options = {}) {
      const established = (name: string) => api.waitFor(`customresourcedefinition/${name}`, 'Established');
      return applyAll(await readObjects(source), { namespace: 'default', ...options }, { client, names, established });
    },
    async waitFor(object, condition, options = {}) {
      const [resource = '', name = ''] = object.split('/', 2);
      if (name === '') throw new RangeError(`${JSON.stringify(object)} is no object: want e.g. "deployment/web"`);
      const ref = await names.ofName(resource);
      return waitForObject({
        resource: client.resource(ref),
        namespace: ref.namespaced ? (options.namespace ?? 'default') : '',
        name,
        condition,
        timeoutMs: milliseconds(options.timeout ?? DEFAULT_TIMEOUT),
        signal: options.signal,
      });
    },
    async namespace(name = `test-${uuid().slice(0, 8)}`) {
      await client.resource(NAMESPACES).create('', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
      if (hasControllers) await api.defaultServiceAccount(name);
      return name;
    },
    trace: (from, to, options = {}) => traceRequests(client, from, to, options),
    async defaultServiceAccount(namespace) {
      await waitForObject({
        resource: client.resource(SERVICE_ACCOUNTS),
        namespace,
        name: 'default',
        condition: 'create',
        timeoutMs: milliseconds(DEFAULT_TIMEOUT),
      });
    },
  };
  return api;
}

/** What is there before a test begins. */
export async function prepare(
  api: ClusterApi,
  {
    crds = [],
    objects = [],
  }: { readonly crds?: readonly (string | ApiObject)[]; readonly objects?: readonly (string | ApiObject)[] },
  hasControllers: boolean,
): Promise<void> {
  if (hasControllers) await api.defaultServiceAccount('default');
  const definitions = (await readObjects(crds)).filter(({ kind }) => kind === 'CustomResourceDefinition');
  await api.apply(definitions);
  await api.apply(objects);
}
