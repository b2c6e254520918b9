interface Expiring {
  /** Clock milliseconds. */
  expiresAt: number;
}

/**
 * What is forgotten when it was not used for some time, without a timer each: things with the same timeout stand in one
 * queue, whose front expires first.
 */
export interface ExpiryQueues<T extends Expiring> {
  /** Starts the item's timeout anew. */
  renew(item: T, timeoutMs: number): void;
  remove(item: T): void;
  /** Takes out what has expired. */
  takeExpired(): readonly T[];
}

export function createExpiryQueues<T extends Expiring>(now: () => number): ExpiryQueues<T> {
  const queues = new Map<number, Set<T>>();
  const queueOf = new Map<T, Set<T>>();

  function remove(item: T): void {
    queueOf.get(item)?.delete(item);
    queueOf.delete(item);
  }

  return {
    renew(item, timeoutMs) {
      remove(item);
      const queue = queues.get(timeoutMs) ?? new Set<T>();
      queues.set(timeoutMs, queue.add(item));
      queueOf.set(item, queue);
      item.expiresAt = now() + timeoutMs;
    },
    remove,
    takeExpired() {
      const expired: T[] = [];
      for (const [timeout, queue] of queues) {
        for (const item of queue) {
          if (item.expiresAt > now()) break;
          expired.push(item);
          remove(item);
        }
        if (queue.size === 0) queues.delete(timeout);
      }
      return expired;
    },
  };
}
