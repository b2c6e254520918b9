import type { Clock } from '../../machinery/clock.js';

/** What one client may leave lying: above that it is cut off, and goes on from the last event that it has got. */
const MAX_BYTES = 8 << 20;
/** What all clients together may leave lying. */
const MAX_TOTAL_BYTES = 64 << 20;
/** How long a client may take nothing while something is there for it. */
const STALL_MS = 60_000;

export interface BacklogLimits {
  readonly bytes: number;
  readonly totalBytes: number;
  readonly stallMs: number;
}

/** What is written to one client and not taken by it yet. */
export interface BacklogAccount {
  bytes(): number;
  add(bytes: number): void;
  /** The client has taken them. */
  take(bytes: number): void;
  close(): void;
}

/** What is under way to all watchers of a server. */
export interface Backlog {
  /** `cut` ends the connection at once; it is called at most once. */
  open(cut: () => void): BacklogAccount;
  total(): number;
}

interface Entry {
  owed: number;
  /** Monotonic time at which the client last took something, or began to owe. */
  movedAt: number;
  cancel: (() => void) | undefined;
  readonly cut: () => void;
}

export function createBacklog(
  clock: Pick<Clock, 'monotonic' | 'after'>,
  limits: BacklogLimits = { bytes: MAX_BYTES, totalBytes: MAX_TOTAL_BYTES, stallMs: STALL_MS },
): Backlog {
  const entries = new Set<Entry>();
  let total = 0;

  const settle = (entry: Entry): void => {
    if (!entries.delete(entry)) return;
    total -= entry.owed;
    entry.cancel?.();
  };
  const cut = (entry: Entry): void => {
    settle(entry);
    entry.cut();
  };
  const largest = (): Entry | undefined => {
    let found: Entry | undefined;
    for (const entry of entries) if (found === undefined || entry.owed > found.owed) found = entry;
    return found;
  };
  const watchFor = (entry: Entry): void => {
    const left = entry.movedAt + limits.stallMs - clock.monotonic();
    entry.cancel = clock.after(
      left,
      () => {
        if (entry.owed === 0) entry.cancel = undefined;
        else if (clock.monotonic() - entry.movedAt >= limits.stallMs) cut(entry);
        else watchFor(entry);
      },
      { unref: true },
    );
  };

  const add = (entry: Entry, bytes: number): void => {
    if (!entries.has(entry)) return;
    if (entry.owed === 0) entry.movedAt = clock.monotonic();
    entry.owed += bytes;
    total += bytes;
    if (entry.cancel === undefined) watchFor(entry);
    if (entry.owed > limits.bytes) cut(entry);
    while (total > limits.totalBytes) {
      const worst = largest();
      if (worst === undefined) break;
      cut(worst);
    }
  };
  const take = (entry: Entry, bytes: number): void => {
    if (!entries.has(entry)) return;
    entry.owed -= bytes;
    total -= bytes;
    entry.movedAt = clock.monotonic();
  };
  const ledger: Ledger = { add, take, settle };

  return {
    total: () => total,
    open(cutOff) {
      const entry = new Account(ledger, cutOff);
      entries.add(entry);
      return entry;
    },
  };
}

/** What accounts are kept in. */
interface Ledger {
  add(entry: Entry, bytes: number): void;
  take(entry: Entry, bytes: number): void;
  settle(entry: Entry): void;
}

class Account implements BacklogAccount, Entry {
  owed = 0;
  movedAt = 0;
  cancel: (() => void) | undefined;

  constructor(
    private readonly ledger: Ledger,
    readonly cut: () => void,
  ) {}

  bytes(): number {
    return this.owed;
  }

  add(bytes: number): void {
    this.ledger.add(this, bytes);
  }

  take(bytes: number): void {
    this.ledger.take(this, bytes);
  }

  close(): void {
    this.ledger.settle(this);
  }
}
