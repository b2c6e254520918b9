/**
 * Is told what is in hand. Somebody who waits until nothing is left to do asks it (src/testing); everywhere else there is
 * none, and nothing is noted.
 */
export interface WorkLedger {
  /** Something is in hand until the returned function is called; a second call does nothing. */
  begin(what: string): () => void;
  /** The same of what waits in a queue to be begun. */
  queue(what: string): () => void;
  /** Somebody is told of the changes of a resource, a moment after they happened. */
  follow(who: string, resource: FollowedResource): Follower;
  /** Nobody is to begin with what waits in a queue. */
  readonly held: boolean;
  /** Calls back once, when that is so no longer. */
  onRelease(released: () => void): void;
}

export interface FollowedResource {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
}

/** Somebody who is told of a resource's changes. */
export interface Follower {
  /** It has been told of everything up to this revision. */
  reached(revision: number): void;
  /** It could not ask: it tries again. */
  failed(): void;
  /** It wants to know no longer. */
  end(): void;
}

/** What may have a ledger: a clock, as whoever moves time by hand wants to know what is in hand. */
export interface Accountable {
  readonly ledger?: WorkLedger;
}

const nothing = (): void => undefined;

/** Notes that something is in hand until the returned function is called. */
export const inHand = ({ ledger }: Accountable, what: string): (() => void) => ledger?.begin(what) ?? nothing;

/** Notes that something waits in a queue until the returned function is called. */
export const queued = ({ ledger }: Accountable, what: string): (() => void) => ledger?.queue(what) ?? nothing;

/** Notes when somebody begins and ceases to have work. */
export interface Busyness {
  /** To be told whenever it may have changed. */
  set(busy: boolean): void;
}

export function createBusyness(of: Accountable, what: string, note: typeof inHand = inHand): Busyness {
  let end: (() => void) | undefined;
  return {
    set(busy) {
      if (busy) end ??= note(of, what);
      else {
        end?.();
        end = undefined;
      }
    },
  };
}
