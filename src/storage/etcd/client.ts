import type { KeyValue } from '../kv-store.js';
import type { Channel } from './grpc/channel.js';
import { MessageTooLongError } from './grpc/status.js';
import { decodeStatus, encodeCompact, type ServerStatus } from './messages/maintenance.js';
import { decodeRange, encodeRange, type RangeRequest, type RangeResponse, type Span } from './messages/range.js';
import { decodeTxn, encodeTxn, type TxnRequest, type TxnResponse } from './messages/txn.js';

const PATH = {
  range: '/etcdserverpb.KV/Range',
  txn: '/etcdserverpb.KV/Txn',
  compact: '/etcdserverpb.KV/Compact',
  status: '/etcdserverpb.Maintenance/Status',
} as const;

const NOTHING = Buffer.alloc(0);
/** As many as upstream's pages may have; with 1.5 MB each, the most that etcd takes, it is not one message. */
const PAGE = 500;

/** etcd's calls, by name. Reads are linearizable: they see every write that was answered before they were made. */
export interface EtcdClient {
  range(request: RangeRequest): Promise<RangeResponse>;
  /** Not made again when its fate is unknown. */
  txn(request: TxnRequest): Promise<TxnResponse>;
  compact(revision: number): Promise<void>;
  status(): Promise<ServerStatus>;
}

export const createEtcdClient = (channel: Channel): EtcdClient => ({
  range: async request => decodeRange(await channel.call(PATH.range, encodeRange(request), { safe: true })),
  txn: async request => decodeTxn(await channel.call(PATH.txn, encodeTxn(request))),
  compact: async revision => void (await channel.call(PATH.compact, encodeCompact(revision), { safe: true })),
  status: async () => decodeStatus(await channel.call(PATH.status, NOTHING, { safe: true })),
});

export interface Listed {
  /** The store's when it was asked first. */
  readonly revision: number;
  readonly kvs: KeyValue[];
  /** How many follow. */
  readonly remaining: number;
}

/** All keys of a span as of one revision, or the first `limit` (0: all), page by page. */
export async function listPages(
  client: EtcdClient,
  span: Span,
  { limit, revision }: { readonly limit: number; readonly revision?: number | undefined },
): Promise<Listed> {
  const kvs: KeyValue[] = [];
  let [key, at, newest, page] = [span.key, revision, 0, PAGE];
  for (;;) {
    const wanted = limit === 0 ? page : Math.min(page, limit - kvs.length);
    try {
      const found = await client.range({ ...span, key, limit: wanted, ...(at === undefined ? {} : { revision: at }) });
      if (newest === 0) newest = found.revision;
      at ??= found.revision;
      for (const kv of found.kvs) kvs.push(kv);
      const remaining = found.count - found.kvs.length;
      if (remaining === 0 || kvs.length === limit) return { revision: newest, kvs, remaining };
      key = `${kvs.at(-1)?.key ?? ''}\0`;
    } catch (error) {
      if (!(error instanceof MessageTooLongError) || page === 1) throw error;
      page = Math.ceil(page / 4);
    }
  }
}
