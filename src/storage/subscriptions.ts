import type { CacheEvent } from './event-history.js';

/** Which events a subscriber gets: of one object, of a namespace, or ('' and '') all. */
export interface Subscription {
  readonly namespace: string;
  readonly name: string;
}

export interface Subscriber {
  /** One call per visible batch, in order. */
  events(events: readonly CacheEvent[]): void;
  /** Events were lost, or `events` threw: nothing more comes. */
  ended(): void;
}

/** The subscribers of a cache, by what they asked for: a change costs what those cost whom it concerns. */
export interface Subscriptions {
  /** The returned function ends it. */
  add(what: Subscription, subscriber: Subscriber): () => void;
  dispatch(events: readonly CacheEvent[]): void;
  /** Ends all of them and tells them. */
  endAll(): void;
  clear(): void;
}

/** @param onError told of what subscribers throw */
export function createSubscriptions(onError: (error: unknown) => void): Subscriptions {
  const byTopic = new Map<string, Set<Member>>();

  const remove = (member: Member): boolean => {
    const set = byTopic.get(member.topic);
    if (set?.delete(member) !== true) return false;
    if (set.size === 0) byTopic.delete(member.topic);
    return true;
  };

  const end = (member: Member): void => {
    if (!remove(member)) return;
    try {
      member.subscriber.ended();
    } catch (error) {
      onError(error);
    }
  };

  return {
    add(what, subscriber) {
      // Its own object: one subscriber may come twice.
      const member: Member = { topic: topic(what.namespace, what.name), subscriber };
      const set = byTopic.get(member.topic) ?? new Set();
      byTopic.set(member.topic, set.add(member));
      return () => void remove(member);
    },
    dispatch(events) {
      if (byTopic.size === 0) return;
      const batches = new Map<Member, CacheEvent[]>();
      for (const event of events) {
        const { namespace, name } = event.object.key;
        const topics = new Set([topic('', ''), topic(namespace, ''), topic('', name), topic(namespace, name)]);
        for (const t of topics) {
          for (const member of byTopic.get(t) ?? []) {
            const batch = batches.get(member);
            if (batch === undefined) batches.set(member, [event]);
            else batch.push(event);
          }
        }
      }
      for (const [member, batch] of batches) {
        try {
          member.subscriber.events(batch);
        } catch (error) {
          // The fault of one must reach neither the others nor the writer whose change it was told of.
          onError(error);
          end(member);
        }
      }
    },
    endAll() {
      for (const set of [...byTopic.values()]) for (const member of [...set]) end(member);
    },
    clear: () => byTopic.clear(),
  };
}

interface Member {
  readonly topic: string;
  readonly subscriber: Subscriber;
}

const topic = (namespace: string, name: string): string => `${namespace}/${name}`;
