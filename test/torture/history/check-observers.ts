import { firstAbove, show, type Entry, type Log } from './log.js';
import { allOf, type Change, type History, type Of, type Seen } from './observation.js';

/** What is different between what somebody has and what there is. */
export function difference(has: ReadonlyMap<string, Seen>, is: ReadonlyMap<string, Seen>): string | undefined {
  for (const [key, seen] of is) {
    const found = has.get(key);
    if (found?.revision !== seen.revision || found.content !== seen.content)
      return `has ${show(found)} for ${show(seen)}`;
  }
  for (const [key, seen] of has) if (!is.has(key)) return `has ${show(seen)}, which is not there`;
  return undefined;
}

const byName = (items: readonly Seen[]): ReadonlyMap<string, Seen> => new Map(items.map(seen => [seen.key, seen]));

/** Every list is the state of its revision. */
export function checkLists(history: History, log: Log, problems: string[]): void {
  for (const { by, team, revision, items } of allOf(history, 'listed')) {
    const has = byName(items);
    const wrong = has.size < items.length ? 'names an object twice' : difference(has, log.stateAt(revision, team));
    if (wrong !== undefined) problems.push(`a list of ${revision} for ${by} ${wrong}`);
  }
}

/** Where one who follows the log stands in it. */
interface Place {
  readonly entries: readonly Entry[];
  /** Everything up to here is known. */
  revision: number;
  /** The next entry. */
  next: number;
}

const placeAt = (log: Log, team: string, revision: number): Place => {
  const entries = log.selected(team);
  return { entries, revision, next: firstAbove(entries, revision) };
};

/** Moves on by what was told. @returns what is wrong with it */
function step(place: Place, change: Change, seen: Seen): string | undefined {
  const expected = place.entries[place.next];
  const told = `${change} ${show(seen)}`;
  if (seen.revision <= place.revision) return `is told ${told} after ${place.revision}`;
  place.next = firstAbove(place.entries, seen.revision);
  place.revision = seen.revision;
  if (expected === undefined) return `is told ${told}, which never happened`;
  const { change: right, seen: other } = expected;
  if (right !== change || other.revision !== seen.revision || other.content !== seen.content)
    return `is told ${told}, where ${right} ${show(other)} was next`;
  return undefined;
}

function missed(place: Place, upTo: number): string | undefined {
  const next = place.entries[place.next];
  return next === undefined || next.seen.revision > upTo ? undefined : `was not told ${next.change} ${show(next.seen)}`;
}

/** Each watcher was told each change of what it selects once and in order, over all its connections. */
export function checkWatchers(history: History, log: Log, problems: string[]): void {
  const places = new Map<string, Place>();
  const listedAt = new Map<string, number>();
  for (const one of history) {
    let wrong: string | undefined;
    if (one.what === 'listed') listedAt.set(one.by, one.revision);
    else if (one.what === 'watching') {
      const place = places.get(one.by);
      // Who lists anew begins anew.
      if (place === undefined || listedAt.get(one.by) === one.from)
        places.set(one.by, placeAt(log, one.team, one.from));
      else if (place.revision !== one.from) wrong = `watches from ${one.from}, and knows ${place.revision}`;
      listedAt.delete(one.by);
    } else if (one.what === 'event' || one.what === 'bookmark') {
      const place = places.get(one.by);
      if (place === undefined) wrong = 'is told something, and does not watch';
      else if (one.what === 'event') wrong = step(place, one.change, one.seen);
      else {
        wrong =
          one.revision < place.revision
            ? `has a bookmark of ${one.revision} after ${place.revision}`
            : missed(place, one.revision);
        place.revision = Math.max(place.revision, one.revision);
        place.next = firstAbove(place.entries, place.revision);
      }
    }
    if (wrong !== undefined && 'by' in one) problems.push(`${one.by} ${wrong}`);
  }
  for (const [by, place] of places) {
    const wrong = missed(place, Infinity);
    if (wrong !== undefined) problems.push(`${by} ${wrong}`);
  }
}

interface Informed {
  place: Place;
  readonly has: Map<string, Seen>;
  /** What a list brings is told object by object; then this is what is known. */
  listed: Of<'listed'> | undefined;
}

function handle(informer: Informed, { change, seen, before }: Of<'handled'>): string | undefined {
  const had = informer.has.get(seen.key);
  if ((change === 'ADDED') === (had !== undefined)) return `is told ${change} ${show(seen)}, and has ${show(had)}`;
  if (change === 'MODIFIED' && (before?.revision !== had?.revision || seen.uid !== had?.uid))
    return `is told that ${show(seen)} was ${show(before)}, and has ${show(had)}`;
  if (change === 'DELETED') informer.has.delete(seen.key);
  else informer.has.set(seen.key, seen);
  return undefined;
}

function endOfList(informer: Informed, log: Log): string | undefined {
  const { listed } = informer;
  informer.listed = undefined;
  return listed && difference(informer.has, log.stateAt(listed.revision, listed.team));
}

/**
 * Each informer told its handlers every change once, in order and on top of what it had told before; what a list
 * brought anew makes what they know the state of that list.
 */
export function checkInformers(history: History, log: Log, problems: string[]): void {
  const informers = new Map<string, Informed>();
  const names = new Set(allOf(history, 'holds').map(({ by }) => by));
  for (const one of history) {
    if (!('by' in one) || !names.has(one.by)) continue;
    const wrong = [];
    const known = informers.get(one.by);
    if (one.what === 'listed') {
      if (known !== undefined) wrong.push(endOfList(known, log));
      const has = known?.has ?? new Map<string, Seen>();
      informers.set(one.by, { place: placeAt(log, one.team, one.revision), has, listed: one });
    } else if (known === undefined) wrong.push('has never listed');
    else if (one.what === 'handled') {
      const fromList = known.listed !== undefined && one.seen.revision <= known.listed.revision;
      if (!fromList) wrong.push(endOfList(known, log), step(known.place, one.change, one.seen));
      wrong.push(handle(known, one));
    } else if (one.what === 'holds') {
      wrong.push(endOfList(known, log), missed(known.place, Infinity));
      wrong.push(
        difference(byName(one.items), known.has),
        difference(known.has, log.stateAt(Infinity, teamOf(history, one.by))),
      );
    }
    for (const what of wrong) if (what !== undefined) problems.push(`${one.by} ${what}`);
  }
}

const teamOf = (history: History, by: string): string =>
  allOf(history, 'listed').find(one => one.by === by)?.team ?? '';
