import { StorageError } from '../kv-store.js';
import type { EtcdClient } from './client.js';
import type { Channel } from './grpc/channel.js';
import { GrpcError } from './grpc/status.js';
import type { KeySpace } from './key-space.js';
import { isSupported, parseVersion, tellsProgress } from './server-version.js';
import { openWatchStream } from './watch-stream.js';

/** What there is to know before anything is asked. */
export interface Start {
  readonly revision: number;
  /** Older revisions are gone; 0: none are. */
  readonly compacted: number;
  readonly tellsProgress: boolean;
}

/** @throws StorageError, GrpcError */
export async function startOf(channel: Channel, client: EtcdClient, keys: KeySpace): Promise<Start> {
  const { version: text } = await client.status();
  const version = parseVersion(text);
  if (!isSupported(version)) throw new StorageError('format', `etcd ${text} is none of 3.4 or newer`);
  const { revision } = await client.range({ key: keys.fence, countOnly: true });
  const compacted = (await isCompacted(client, keys)) ? await compactedAt(channel, keys) : 0;
  return { revision, compacted, tellsProgress: tellsProgress(version) };
}

/** Whether the first revision is gone. */
async function isCompacted(client: EtcdClient, keys: KeySpace): Promise<boolean> {
  try {
    await client.range({ key: keys.fence, countOnly: true, revision: 1 });
    return false;
  } catch (error) {
    if (error instanceof GrpcError && error.code === 'OutOfRange') return true;
    throw error;
  }
}

/** Only a watch that cannot be had says what there is. */
function compactedAt(channel: Channel, keys: KeySpace): Promise<number> {
  return new Promise((resolve, reject) => {
    const stream = openWatchStream(channel, [{ key: keys.fence, id: 1, start: 1 }], {
      message({ canceled, compactRevision, reason }) {
        if (!canceled) return;
        stream.then(opened => opened.close(), reject);
        if (compactRevision > 0) resolve(compactRevision);
        else reject(new GrpcError('Unavailable', reason || 'the watch was canceled'));
      },
      ended: reject,
    });
    stream.catch(reject);
  });
}
