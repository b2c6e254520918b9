import type { RequestInfo } from '../pipeline/request-info.js';
import type { WatchTracker } from './watch-tracker.js';
import type { Work } from './types.js';

/** What is stored of a resource. */
export interface Stored {
  readonly objects: number;
  readonly bytes: number;
}

/** k8s.io/apiserver pkg/util/flowcontrol/request: config.go, list_work_estimator.go. */
const MAX_LIST_SEATS = 100;
const MAX_WRITE_SEATS = 10;
const BYTES_PER_SEAT = 100_000;
/** What a list from memory is taken to hold at once, as it is streamed. */
const MAX_STREAMED_BYTES = 1_000_000;
const WATCHES_PER_SEAT = 10;
const EVENT_MS = 5;

const ONE: Work = { initialSeats: 1, finalSeats: 0, lingerMs: 0 };

const capped = (limit: number, levelMax: number): number => (levelMax === 0 || levelMax > limit ? limit : levelMax);

const isTrue = (value: string | null): boolean => value === 'true' || value === '1';

/** Whether upstream's list goes past its cache, to etcd. */
function isFromStorage(query: URLSearchParams): boolean {
  const match = query.get('resourceVersionMatch') ?? '';
  if (match !== '') return match !== 'NotOlderThan';
  if ((query.get('continue') ?? '') !== '') return true;
  const version = query.get('resourceVersion') ?? '';
  return Number(query.get('limit') ?? 0) > 0 && version !== '' && version !== '0';
}

function listWork(info: RequestInfo, query: URLSearchParams, stored: Stored | undefined, max: number): Work {
  // Most have none, and each look at one costs as much as the rest.
  if (query.size === 0) {
    const bytes = info.name !== '' || stored === undefined ? 0 : Math.min(stored.bytes, MAX_STREAMED_BYTES);
    return { ...ONE, initialSeats: Math.min(Math.max(Math.ceil(bytes / BYTES_PER_SEAT), 1), max) };
  }
  if (info.verb === 'watch') {
    const version = query.get('resourceVersion') ?? '';
    if (!isTrue(query.get('sendInitialEvents')) && version !== '' && version !== '0') return ONE;
  }
  if (stored === undefined || stored.objects === 0) return ONE;
  const limit = Number(query.get('limit') ?? 0);
  if (!Number.isInteger(limit)) return { ...ONE, initialSeats: max };
  const limited = limit > 0 ? Math.min(limit, stored.objects) : stored.objects;
  const fromMemory = info.verb === 'watch' || !isFromStorage(query);
  const selects = (query.get('fieldSelector') ?? '') !== '' || (query.get('labelSelector') ?? '') !== '';
  const loaded =
    info.name !== '' ? 1 : !fromMemory && selects ? Math.max(limited, Math.floor(stored.objects / 2)) : limited;
  const bytes = loaded * (stored.bytes / stored.objects);
  const seats = Math.ceil((fromMemory ? Math.min(bytes, MAX_STREAMED_BYTES) : bytes) / BYTES_PER_SEAT);
  return { ...ONE, initialSeats: Math.min(Math.max(seats, 1), max) };
}

/** A write also costs what those who watch are told of it, after it is answered. */
function writeWork(watches: number, max: number): Work {
  if (watches < WATCHES_PER_SEAT) return ONE;
  const seats = Math.ceil(watches / WATCHES_PER_SEAT);
  const finalSeats = Math.min(seats, max);
  return { initialSeats: 1, finalSeats, lingerMs: (seats * EVENT_MS) / finalSeats };
}

/**
 * `levelMax`: what the request's level allows one request at most; 0: as much as any. `flow` is told how many watches a
 * write has to tell.
 */
export type WorkEstimator = (
  info: RequestInfo,
  query: URLSearchParams,
  levelMax: number,
  flow: { watched(count: number): void },
) => Work;

export function createWorkEstimator(options: {
  /** undefined: not a resource of ours. */
  stored(group: string, resource: string): Stored | undefined;
  readonly watches: WatchTracker;
}): WorkEstimator {
  return (info, query, levelMax, flow) => {
    switch (info.verb) {
      case 'list':
      case 'watch':
        return listWork(info, query, options.stored(info.group, info.resource), capped(MAX_LIST_SEATS, levelMax));
      case 'create':
      case 'update':
      case 'patch':
      case 'delete': {
        // Nobody is told of a token.
        if (info.resource === 'serviceaccounts' && info.subresource === 'token') return ONE;
        const watches = options.watches.interested(info);
        flow.watched(watches);
        return writeWork(watches, capped(MAX_WRITE_SEATS, levelMax));
      }
      default:
        return ONE;
    }
  };
}
