import type { Client } from '../client/types.js';
import type { KubeObject } from '../machinery/types.js';

/** autoscaling/v1 Scale. */
export interface Scale extends KubeObject {
  spec?: { replicas?: number };
  status?: { replicas: number; selector?: string };
}

export interface ScaleTarget {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

interface Served {
  readonly resources: readonly { readonly name: string; readonly kind: string }[];
}

export const groupOf = (apiVersion: string): string =>
  apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';

/**
 * Path of the scale subresource of any kind that has one, custom ones included.
 * @throws Error in upstream's words for a kind that is not served or cannot be scaled; StatusError
 */
export async function scalePath(client: Client, { apiVersion, kind, namespace, name }: ScaleTarget): Promise<string> {
  const group = groupOf(apiVersion);
  const base = group === '' ? `/api/${apiVersion}` : `/apis/${apiVersion}`;
  const served = (await client.request('GET', base)) as Served;
  const resource = served.resources.find(one => one.kind === kind && !one.name.includes('/'))?.name;
  if (resource === undefined) throw new Error(`no matches for kind "${kind}" in version "${apiVersion}"`);
  if (!served.resources.some(one => one.name === `${resource}/scale`))
    throw new Error(`${group === '' ? resource : `${resource}.${group}`} does not implement the scale subresource`);
  return `${base}/namespaces/${namespace}/${resource}/${name}/scale`;
}
