import type { Family } from '../../packet.js';
import { NetfilterError } from '../errors.js';
import { entryKey } from './entry.js';
import { createIpset, type Ipset } from './ipset.js';
import type { SetChange } from './types.js';

/** The sets of one family. */
export interface Ipsets {
  get(name: string): Ipset | undefined;
  /** In the order in which they were made. */
  all(): readonly Ipset[];
}

export interface IpsetsModule extends Ipsets {
  /** @throws NetfilterError for what `change` cannot do */
  check(changes: readonly SetChange[]): void;
  /** `whole`: a set has afterwards what is added to it and nothing else. */
  change(changes: readonly SetChange[], whole: boolean): void;
}

export function createIpsets(family: Family, random: () => number): IpsetsModule {
  const anyInitval = (): number => Math.floor(random() * 2 ** 32);
  const sets = new Map<string, Ipset>();
  return {
    get: name => sets.get(name),
    all: () => [...sets.values()],
    check(changes) {
      for (const { name, type, add, remove } of changes) {
        const known = sets.get(name)?.type ?? type;
        if (known !== type) throw new NetfilterError(`set ${name} is of type ${known}, not ${type}`);
        for (const entry of [...add, ...remove]) entryKey(type, entry);
      }
    },
    change(changes, whole) {
      for (const { name, type, initval, add, remove } of changes) {
        const set = sets.get(name) ?? createIpset({ name, type, family, initval: initval ?? anyInitval() });
        sets.set(name, set);
        if (whole) {
          const wanted = new Set(add.map(entry => entryKey(type, entry)));
          for (const entry of [...set.entries]) if (!wanted.has(entry)) set.remove(entry);
        }
        for (const entry of remove) set.remove(entry);
        for (const entry of add) set.add(entry);
      }
    },
  };
}
