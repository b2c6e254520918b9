/** What refused clients are told to wait: longer while many are refused. */
export interface DroppedRequests {
  /** Notes one that is refused, and gives the seconds after which it may come back. */
  drop(level: string): number;
}

const MAX_SECONDS = 32;

/** k8s.io/apiserver pkg/util/flowcontrol/dropped_requests_tracker.go, for one level. */
function createHistory(): (second: number) => number {
  const history: { second: number; count: number }[] = [];
  let current = { second: 0, count: 0 };
  let retryAfter = 1;
  let raisedAt = 0;
  const update = (second: number): void => {
    let dropped = 0;
    for (const past of history) if (second - past.second <= retryAfter && past.second < second) dropped += past.count;
    if (second - raisedAt >= retryAfter && dropped >= 3 * retryAfter) {
      retryAfter = Math.min(2 * retryAfter, MAX_SECONDS);
      raisedAt = second;
    } else if (dropped < retryAfter && retryAfter > 1) {
      retryAfter--;
    }
  };
  return second => {
    if (current.second === second) {
      current.count++;
      return retryAfter;
    }
    history.push(current);
    const kept = Math.min(2 * retryAfter, MAX_SECONDS);
    while (history[0] !== undefined && current.second - history[0].second > kept) history.shift();
    current = { second, count: 1 };
    update(second);
    return retryAfter;
  };
}

export function createDroppedRequests(now: () => number): DroppedRequests {
  const levels = new Map<string, (second: number) => number>();
  return {
    drop(level) {
      let history = levels.get(level);
      if (history === undefined) levels.set(level, (history = createHistory()));
      return history(Math.floor(now() / 1000));
    },
  };
}
