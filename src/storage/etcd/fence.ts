import type { EtcdClient } from './client.js';
import type { KeySpace } from './key-space.js';

/** A write for its own sake: when a watch tells of it, it has told of everything before. */
export interface Fence {
  /** Writes it, once for all who ask meanwhile. @returns its revision */
  put(): Promise<number>;
}

const VALUE = Buffer.from('{}');

export function createFence(client: Pick<EtcdClient, 'txn'>, { fence }: Pick<KeySpace, 'fence'>): Fence {
  let writing: Promise<number> | undefined;
  const write = async (): Promise<number> => {
    const { revision } = await client.txn({
      preconditions: [],
      ops: [{ type: 'put', key: fence, value: VALUE }],
    });
    return revision;
  };
  return { put: () => (writing ??= write().finally(() => (writing = undefined))) };
}
