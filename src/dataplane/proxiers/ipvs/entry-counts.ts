import { compareText } from '../../../machinery/compare-text.js';
import type { SetChange } from '../../kernel/ipset/types.js';
import type { Family } from '../../packet.js';
import { nameIn, SET_NAMES, SETS, type SetName } from './sets.js';

/** The entries of all sets, each with how many service ports want it, and what has changed since they were last written. */
export interface EntryCounts {
  add(set: SetName, entry: string): void;
  remove(set: SetName, entry: string): void;
  isEmpty(set: SetName): boolean;
  /** What must be written. */
  take(): readonly SetChange[];
  /** Everything. */
  all(): readonly SetChange[];
}

interface Counted {
  readonly counts: Map<string, number>;
  /** Entries that were touched, and whether the kernel has them. */
  readonly touched: Map<string, boolean>;
}

export function createEntryCounts(family: Family): EntryCounts {
  const sets = new Map(SET_NAMES.map((name): [SetName, Counted] => [name, { counts: new Map(), touched: new Map() }]));

  function change(set: SetName, entry: string, by: number): void {
    const counted = sets.get(set);
    if (counted === undefined) return;
    const before = counted.counts.get(entry) ?? 0;
    if (!counted.touched.has(entry)) counted.touched.set(entry, before > 0);
    if (before + by === 0) counted.counts.delete(entry);
    else counted.counts.set(entry, before + by);
  }

  const changeOf = (name: SetName, add: readonly string[], remove: readonly string[]): SetChange => ({
    name: nameIn(family, name),
    type: SETS[name].type,
    add: [...add].sort(compareText),
    remove: [...remove].sort(compareText),
  });

  return {
    add: (set, entry) => change(set, entry, 1),
    remove: (set, entry) => change(set, entry, -1),
    isEmpty: set => sets.get(set)?.counts.size === 0,
    take() {
      const changes: SetChange[] = [];
      for (const [name, { counts, touched }] of sets) {
        const add = [...touched].flatMap(([entry, was]) => (!was && counts.has(entry) ? [entry] : []));
        const remove = [...touched].flatMap(([entry, was]) => (was && !counts.has(entry) ? [entry] : []));
        touched.clear();
        if (add.length + remove.length > 0) changes.push(changeOf(name, add, remove));
      }
      return changes;
    },
    all: () => [...sets].map(([name, { counts }]) => changeOf(name, [...counts.keys()], [])),
  };
}
