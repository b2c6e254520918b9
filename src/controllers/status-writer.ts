import type { ResourceClient } from '../client/types.js';
import { isStatusError } from '../machinery/status.js';
import type { DeepReadonly, KubeObject } from '../machinery/types.js';

/**
 * Writes a status. When the object has changed meanwhile the same status is written over the newer one, up to
 * `retries` times: what was counted still holds, and the change itself brings the next sync.
 * @throws StatusError
 */
export async function writeStatus<T extends KubeObject>(
  client: ResourceClient<T>,
  object: DeepReadonly<T>,
  status: unknown,
  retries: number,
): Promise<T> {
  let current = object;
  for (let left = retries; ; left--)
    try {
      return await client.update({ ...(current as T), status }, { subresource: 'status' });
    } catch (error) {
      if (left === 0 || !isStatusError(error, 'Conflict')) throw error;
      const { namespace = '', name = '', uid } = object.metadata;
      const fresh = (await client.get({ namespace, name })) as DeepReadonly<T>;
      if (fresh.metadata.uid !== uid) throw error;
      current = fresh;
    }
}
