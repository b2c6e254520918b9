import type { EventHistory } from './event-history.js';

/** What all histories of a server may hold on to together: a quiet resource does not pay for a busy one. */
export interface HistoryBudget {
  add(history: EventHistory): void;
  /** For a history that nobody reads any more. */
  remove(history: EventHistory): void;
  /** Takes from the largest until all of them fit. */
  settle(): void;
}

const DEFAULT_BYTES = 96 << 20;

export function createHistoryBudget(maxBytes = DEFAULT_BYTES): HistoryBudget {
  const histories = new Set<EventHistory>();
  return {
    add: history => void histories.add(history),
    remove: history => void histories.delete(history),
    settle() {
      for (;;) {
        let total = 0;
        let largest: EventHistory | undefined;
        for (const history of histories) {
          total += history.bytes();
          if (largest === undefined || history.bytes() > largest.bytes()) largest = history;
        }
        if (total <= maxBytes || largest === undefined) return;
        largest.forgetOldest();
      }
    },
  };
}
