import { once } from 'node:events';
import { formatTime, type Clock } from '../../machinery/clock.js';
import { methodNotAllowedError, tooManyRequestsError } from '../../machinery/status.js';
import { createBackupWriter } from '../../storage/backup/format.js';
import type { KvStore, ScanPage } from '../../storage/kv-store.js';
import type { DocumentRoute, Exchange } from '../pipeline/exchange.js';
import { writeHead } from '../responses/send.js';

/** Of this server alone: what kube-apiserver keeps is backed up with etcd's tools. */
export const BACKUP_PATH = '/debug/kubette/backup';

/** A second one has a reason; more only keep old files from going. */
const MAX_AT_ONCE = 2;
/** How long a client may take none of it: what it is read from is kept so long. */
const PATIENCE_MS = 30_000;

export interface BackupOptions {
  /** As it is stored: what is encrypted stays so. */
  readonly store: Pick<KvStore, 'scan'>;
  readonly clock: Clock;
  /** Those under way end. */
  readonly stopping: AbortSignal;
}

/** Everything in the store at one revision, as a file; undefined: the store has tools of its own. */
export function createBackupRoute(options: BackupOptions): DocumentRoute | undefined {
  if (options.store.scan === undefined) return undefined;
  let underWay = 0;
  return {
    kind: 'document',
    negotiated: false,
    async handle(exchange) {
      if (exchange.request.method !== 'GET') throw methodNotAllowedError();
      if (underWay >= MAX_AT_ONCE) throw tooManyRequestsError('other backups are under way', 10);
      underWay++;
      try {
        await send(exchange, options);
      } finally {
        underWay--;
      }
      return { kind: 'taken' };
    },
  };
}

/** A piece at a time, as the client takes them. What fails once it has begun ends the connection: the last line is missing then. */
async function send(exchange: Exchange, { store, clock, stopping }: BackupOptions): Promise<void> {
  const { request } = exchange;
  const { response } = request;
  const signal = AbortSignal.any([request.signal, stopping]);
  const writer = createBackupWriter();
  const write = async (bytes: Buffer): Promise<void> => {
    if (response.write(bytes)) return;
    const cancel = clock.after(PATIENCE_MS, () => response.destroy());
    try {
      await once(response, 'drain', { signal });
    } finally {
      cancel();
    }
  };
  let begun = false;
  try {
    for await (const { revision, items } of store.scan?.(signal) ?? ([] as ScanPage[])) {
      if (!begun) {
        writeHead(exchange, 200, { 'Content-Type': 'application/jsonl' });
        await write(writer.begin({ revision, takenAt: formatTime(clock.now()) }));
      }
      begun = true;
      await write(writer.objects(items));
    }
    response.end(writer.end());
  } catch (error) {
    if (!begun) throw error;
    response.destroy();
  }
}
