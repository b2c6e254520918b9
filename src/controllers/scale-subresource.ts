import type { Client } from '../client/types.js';
import { isStatusError } from '../machinery/status.js';
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

/** A kind that is not served. */
export class NoMatchError extends Error {
  override readonly name = 'NoMatchError';
  /** As a mapper says it that was asked for the whole group. */
  readonly inGroup: string;
  constructor({ apiVersion, kind }: Pick<ScaleTarget, 'apiVersion' | 'kind'>) {
    super(`no matches for kind "${kind}" in version "${apiVersion}"`);
    this.inGroup = `no matches for kind "${kind}" in group "${groupOf(apiVersion)}"`;
  }
}

/**
 * Path of the scale subresource of any kind that has one, custom ones included.
 * @throws Error in upstream's words for a kind that is not served or cannot be scaled; StatusError
 */
export async function scalePath(client: Client, { apiVersion, kind, namespace, name }: ScaleTarget): Promise<string> {
  const group = groupOf(apiVersion);
  const base = group === '' ? `/api/${apiVersion}` : `/apis/${apiVersion}`;
  let served: Served;
  try {
    served = (await client.request('GET', base)) as Served;
  } catch (error) {
    if (!isStatusError(error, 'NotFound')) throw error;
    throw new NoMatchError({ apiVersion, kind });
  }
  const resource = served.resources.find(one => one.kind === kind && !one.name.includes('/'))?.name;
  if (resource === undefined) throw new NoMatchError({ apiVersion, kind });
  if (!served.resources.some(one => one.name === `${resource}/scale`))
    throw new Error(`${group === '' ? resource : `${resource}.${group}`} does not implement the scale subresource`);
  return `${base}/namespaces/${namespace}/${resource}/${name}/scale`;
}
