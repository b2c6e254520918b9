import { allOf, type Change, type History, type Seen } from './observation.js';

/** One change of the store. */
export interface Entry {
  readonly change: Change;
  /** What it left; of a deletion what was there, with the revision of the deletion. */
  readonly seen: Seen;
  /** What was there before. */
  readonly before: Seen | undefined;
}

/** All changes that happened, as far as anybody was told of them. */
export interface Log {
  /** By revision. */
  readonly entries: readonly Entry[];
  /** The entry of a revision. */
  at(revision: number): Entry | undefined;
  /** An object as it was when `revision` was the newest. */
  stateOf(key: string, revision: number): Seen | undefined;
  /** All objects that were there when `revision` was the newest, of those that a team selects. */
  stateAt(revision: number, team: string): ReadonlyMap<string, Seen>;
  /** What a watcher of a team is told: an object that leaves it is deleted, to its eyes. */
  selected(team: string): readonly Entry[];
}

export const isOf = (team: string, seen: Seen | undefined): boolean =>
  seen !== undefined && (team === '' || seen.team === team);

export const show = (seen: Seen | undefined): string =>
  seen === undefined ? 'nothing' : `${seen.key}@${seen.revision} (${seen.token}+${seen.patched}, ${seen.uid})`;

interface Told {
  readonly change: Change;
  readonly seen: Seen;
}

/** What those who watch everything were told, once each; what they disagree on is a problem. */
function gather(history: History, problems: string[]): Told[] {
  const everything = new Set(allOf(history, 'watching').flatMap(({ by, team }) => (team === '' ? [by] : [])));
  const told = new Map<number, Told>();
  for (const { by, change, seen } of allOf(history, 'event')) {
    if (!everything.has(by)) continue;
    const known = told.get(seen.revision);
    if (known === undefined) told.set(seen.revision, { change, seen });
    else if (known.change !== change || known.seen.key !== seen.key || known.seen.content !== seen.content)
      problems.push(
        `revision ${seen.revision} is two things: ${known.change} ${show(known.seen)}, and to ${by} ${change} ${show(seen)}`,
      );
  }
  return [...told.values()].sort((a, b) => a.seen.revision - b.seen.revision);
}

function select(entries: readonly Entry[], team: string): Entry[] {
  return entries.flatMap(({ seen, before, change }): Entry[] => {
    const [was, is] = [isOf(team, before), change !== 'DELETED' && isOf(team, seen)];
    if (is) return [{ change: was ? 'MODIFIED' : 'ADDED', seen, before }];
    if (!was || before === undefined) return [];
    return [{ change: 'DELETED', seen: { ...before, revision: seen.revision }, before }];
  });
}

export function createLog(history: History, problems: string[]): Log {
  const entries: Entry[] = [];
  const byRevision = new Map<number, Entry>();
  const byKey = new Map<string, Entry[]>();
  for (const { change, seen } of gather(history, problems)) {
    const past = byKey.get(seen.key) ?? [];
    const last = past.at(-1);
    const entry = { change, seen, before: last?.change === 'DELETED' ? undefined : last?.seen };
    entries.push(entry);
    byRevision.set(seen.revision, entry);
    past.push(entry);
    byKey.set(seen.key, past);
  }
  const stateOf = (key: string, revision: number): Seen | undefined => {
    const past = byKey.get(key) ?? [];
    const last = past[firstAbove(past, revision) - 1];
    return last?.change === 'DELETED' ? undefined : last?.seen;
  };
  const teams = new Map<string, readonly Entry[]>();
  return {
    entries,
    at: revision => byRevision.get(revision),
    stateOf,
    stateAt(revision, team) {
      const state = new Map<string, Seen>();
      for (const key of byKey.keys()) {
        const seen = stateOf(key, revision);
        if (seen !== undefined && isOf(team, seen)) state.set(key, seen);
      }
      return state;
    },
    selected(team) {
      const known = teams.get(team) ?? select(entries, team);
      teams.set(team, known);
      return known;
    },
  };
}

/** The place of the first entry above a revision. */
export function firstAbove(entries: readonly Entry[], revision: number): number {
  let [low, high] = [0, entries.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((entries[middle] as Entry).seen.revision > revision) high = middle;
    else low = middle + 1;
  }
  return low;
}
