import type { Clock } from '../machinery/clock.js';
import type { CoreEvent } from '../machinery/types.js';

/** Upstream's caches keep this many keys, the least recently used go first. */
const MAX_REMEMBERED = 4096;
/** So many different messages of one reason about one object within the interval are told one by one. */
const MAX_SIMILAR = 10;
const SIMILAR_INTERVAL_MS = 600_000;
/** What one source may say of one object at once, and how fast that fills up again. */
const BURST = 25;
const PER_MS = 1 / 300_000;

interface Logged {
  readonly count: number;
  readonly name: string;
  readonly firstTimestamp: string | undefined;
}

/**
 * Thins out events as client-go tools/record EventCorrelator: repeats are counted up, many similar ones are combined
 * into one, and a source that does not stop talking of one object is cut off for a while.
 */
export interface EventCorrelator {
  /** The event as it goes to the server: a `count` above 1 patches the one of its name. undefined: it is dropped. */
  correlate(event: CoreEvent): CoreEvent | undefined;
  /** Told what the server answered. */
  observed(event: CoreEvent): void;
}

/** A map of bounded size. */
function createRecent<V>(): { get(key: string): V | undefined; set(key: string, value: V): void } {
  const entries = new Map<string, V>();
  const set = (key: string, value: V): void => {
    entries.delete(key);
    entries.set(key, value);
    if (entries.size > MAX_REMEMBERED) entries.delete(entries.keys().next().value ?? '');
  };
  return {
    get(key) {
      const value = entries.get(key);
      if (value !== undefined) set(key, value);
      return value;
    },
    set,
  };
}

const aboutKey = ({ source, involvedObject: about, type }: CoreEvent): (string | undefined)[] => [
  source?.component,
  source?.host,
  about.kind,
  about.namespace,
  about.name,
  about.uid,
  about.apiVersion,
  type,
];
const similarKey = (event: CoreEvent): string =>
  JSON.stringify([...aboutKey(event), event.reason, event.reportingComponent, event.reportingInstance]);
const exactKey = (event: CoreEvent): string =>
  JSON.stringify([...aboutKey(event), event.involvedObject.fieldPath, event.reason, event.message]);

export function createEventCorrelator(clock: Clock): EventCorrelator {
  const similar = createRecent<{ messages: Set<string>; at: number }>();
  const logged = createRecent<Logged>();
  const buckets = createRecent<{ tokens: number; at: number }>();

  const aggregate = (event: CoreEvent): { event: CoreEvent; key: string } => {
    const now = clock.monotonic();
    const key = similarKey(event);
    let known = similar.get(key);
    if (known === undefined || now - known.at > SIMILAR_INTERVAL_MS) known = { messages: new Set(), at: now };
    known.messages.add(event.message ?? '');
    known.at = now;
    similar.set(key, known);
    if (known.messages.size < MAX_SIMILAR) return { event, key: exactKey(event) };
    known.messages.delete(known.messages.values().next().value ?? '');
    // The combined event names no reporting component, as upstream's does not.
    const { reportingComponent: _component, reportingInstance: _instance, ...rest } = event;
    return { event: { ...rest, message: `(combined from similar events): ${event.message ?? ''}` }, key };
  };

  const remember = (key: string, { count = 1, metadata, firstTimestamp }: CoreEvent): void =>
    logged.set(key, { count, name: metadata.name ?? '', firstTimestamp });

  const isSpam = (event: CoreEvent): boolean => {
    const now = clock.monotonic();
    const key = JSON.stringify(aboutKey(event));
    const bucket = buckets.get(key) ?? { tokens: BURST, at: now };
    const tokens = Math.min(BURST, bucket.tokens + (now - bucket.at) * PER_MS);
    const spam = tokens < 1;
    buckets.set(key, { tokens: spam ? tokens : tokens - 1, at: now });
    return spam;
  };

  return {
    correlate(observed) {
      const { event: aggregated, key } = aggregate(observed);
      const last = logged.get(key);
      const event: CoreEvent =
        last === undefined
          ? aggregated
          : {
              ...aggregated,
              metadata: { ...aggregated.metadata, name: last.name },
              count: last.count + 1,
              ...(last.firstTimestamp === undefined ? {} : { firstTimestamp: last.firstTimestamp }),
            };
      remember(key, event);
      return isSpam(event) ? undefined : event;
    },
    observed: event => remember(exactKey(event), event),
  };
}
