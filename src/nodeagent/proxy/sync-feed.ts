import type { Family } from '../../dataplane/packet.js';
import type { Clock } from '../../machinery/clock.js';
import type { DeepReadonly, KubeObject } from '../../machinery/types.js';

/** What made the proxy sync. */
export interface SyncCause {
  readonly event: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly kind: 'Service' | 'EndpointSlice' | 'ServiceCIDR';
  readonly namespace?: string;
  readonly name: string;
  readonly resourceVersion?: string;
}

/** One load of rules, or one that failed. */
export interface RuleSync {
  /** ISO 8601. */
  readonly time: string;
  readonly family: Family;
  readonly full: boolean;
  readonly milliseconds: number;
  readonly error?: string;
  readonly causes: readonly SyncCause[];
  /** As many more are not listed. */
  readonly moreCauses: number;
}

/** Tells of every sync, for as long as somebody listens. */
export interface SyncFeed {
  /** Returns what ends it. */
  subscribe(listener: (sync: RuleSync) => void): () => void;
  family(family: Family): FamilySyncs;
}

export interface FamilySyncs {
  changed(event: SyncCause['event'], kind: SyncCause['kind'], object: DeepReadonly<KubeObject>): void;
  /** A sync begins: what changes from now on is for the next one. Returns what tells how it went. */
  begin(): TellSync;
}

export type TellSync = (sync: Pick<RuleSync, 'full' | 'milliseconds' | 'error'>) => void;

/** A first sync may have tens of thousands. */
const MAX_CAUSES = 100;

export function createSyncFeed(clock: Clock): SyncFeed {
  const listeners = new Set<(sync: RuleSync) => void>();
  return {
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    family(family) {
      let causes: SyncCause[] = [];
      let more = 0;
      return {
        changed(event, kind, { metadata: { namespace, name = '', resourceVersion } }) {
          if (listeners.size === 0) return;
          if (causes.length >= MAX_CAUSES) return void more++;
          causes.push({
            event,
            kind,
            ...(namespace === undefined ? {} : { namespace }),
            name,
            ...(resourceVersion === undefined ? {} : { resourceVersion }),
          });
        },
        begin() {
          const known = { causes, moreCauses: more };
          causes = [];
          more = 0;
          return sync => {
            const told = { time: new Date(clock.now()).toISOString(), family, ...sync, ...known };
            for (const listener of listeners) listener(told);
          };
        },
      };
    },
  };
}
