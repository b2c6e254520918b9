import type { FollowedResource, Follower, WorkLedger } from '../machinery/work-ledger.js';

/** As often in a row somebody may fail to ask before it is not waited for: whom it asks may be gone for good. */
const MAX_FAILURES = 5;

/** The revision of a resource's newest change; undefined: it is not followed here. */
export type NewestChange = (resource: FollowedResource) => number | undefined;

/** Keeps what is in hand in a cluster, and who has been told of which changes. */
export interface Ledger extends WorkLedger {
  /** A wait that is a part of some work has begun; the returned function tells of its end. */
  wait(what: string): () => void;
  /** What is in hand, but for what has been passed over. */
  inHand(): string[];
  /** What waits in queues to be begun. */
  queued(): string[];
  /** What goes on by itself in a moment. */
  waiting(): string[];
  /** Who has not been told of the newest change, but for those who have been passed over. */
  behind(newest: NewestChange): string[];
  /** What is in hand, and who is behind, counts no longer until it moves: it waits for time to pass. */
  passOver(newest: NewestChange): void;
  /** Until `release` nobody begins with what waits in a queue. */
  hold(): void;
  release(): void;
  /** Rises whenever something begins, ends or is told. */
  readonly moves: number;
  /** Calls back after each move, until the returned function is called. */
  onMove(moved: () => void): () => void;
}

interface Item {
  readonly what: string;
  passedOver: boolean;
}

interface Following extends Item {
  readonly resource: FollowedResource;
  reached: number;
  failures: number;
}

const texts = (items: Iterable<Item>): string[] => [...items].flatMap(item => (item.passedOver ? [] : item.what));

export function createLedger(): Ledger {
  const hand = new Set<Item>();
  const queues = new Set<Item>();
  const waits = new Set<Item>();
  const followers = new Set<Following>();
  const listeners = new Set<() => void>();
  let moves = 0;
  let held = false;
  let toRelease: (() => void)[] = [];

  const move = (): void => {
    moves++;
    for (const listener of [...listeners]) listener();
  };
  const note = (items: Set<Item>, what: string): (() => void) => {
    const item: Item = { what, passedOver: false };
    items.add(item);
    move();
    return () => {
      if (items.delete(item)) move();
    };
  };
  const lagging = (newest: NewestChange): Following[] =>
    [...followers].filter(
      ({ reached, failures, resource }) => failures < MAX_FAILURES && reached < (newest(resource) ?? -Infinity),
    );

  return {
    begin: what => note(hand, what),
    queue: what => note(queues, what),
    wait: what => note(waits, what),
    follow(who, resource): Follower {
      const what = `${resource.resource}, of which ${who} has to be told`;
      const following: Following = { what, resource, passedOver: false, reached: -1, failures: 0 };
      followers.add(following);
      move();
      return {
        reached(revision) {
          following.failures = 0;
          following.passedOver = false;
          following.reached = revision;
          move();
        },
        failed() {
          following.failures++;
          move();
        },
        end() {
          if (followers.delete(following)) move();
        },
      };
    },
    inHand: () => texts(hand),
    queued: () => texts(queues),
    waiting: () => texts(waits),
    behind: newest => texts(lagging(newest)),
    passOver(newest) {
      for (const item of [...hand, ...lagging(newest)]) item.passedOver = true;
      move();
    },
    get held() {
      return held;
    },
    onRelease: released => void toRelease.push(released),
    hold() {
      held = true;
    },
    release() {
      held = false;
      const released = toRelease;
      toRelease = [];
      for (const each of released) each();
    },
    get moves() {
      return moves;
    },
    onMove(moved) {
      listeners.add(moved);
      return () => listeners.delete(moved);
    },
  };
}
