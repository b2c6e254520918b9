import { jsonEqual } from '../../machinery/json-equal.js';
import type { MutableCatalog } from '../../api/create-catalog.js';
import type { Registries } from '../registry/create-registries.js';
import { isTrue } from './conditions.js';
import { nameOf, type Definition } from './definition.js';
import { customKind, isTerminating, terminating, type CustomKind, type EntryOptions } from './entries.js';

/** What is served of one definition. */
interface Served {
  readonly definition: Definition;
  readonly kind: CustomKind;
  readonly terminating: CustomKind | undefined;
}

interface Prepared {
  readonly definition: Definition;
  readonly kind: CustomKind | undefined;
  /** Its objects are in memory. */
  loaded: boolean;
}

export interface ServedKinds {
  /** What a definition will be served by, with all its objects in memory. undefined: it cannot be served. */
  prepare(definition: Definition): Promise<CustomKind | undefined>;
  /** What its objects are stored by, whether it is served or not. */
  kindOf(definition: Definition): CustomKind | undefined;
  /**
   * Brings the catalog up to these definitions, as they are now; undefined: one that is gone. At once for what has been
   * prepared; the promise is for the rest.
   */
  update(changed: ReadonlyMap<string, Definition | undefined>): Promise<void>;
}

/** The same objects are served in the same way: upstream looks at the spec and at the accepted names. */
const sameKind = (a: Definition, b: Definition): boolean =>
  a.metadata.uid === b.metadata.uid &&
  a.metadata.generation === b.metadata.generation &&
  jsonEqual(a.status?.acceptedNames ?? null, b.status?.acceptedNames ?? null);

/** Keeps the custom resources of the catalog: those of all established definitions. */
export function createServedKinds(
  catalog: Pick<MutableCatalog, 'putCustom'>,
  registries: Pick<Registries, 'load' | 'retire' | 'unload'>,
  options: EntryOptions,
): ServedKinds {
  const served = new Map<string, Served>();
  /** The newest state of each definition that is not served yet. */
  const prepared = new Map<string, Prepared>();

  const prepare = async (definition: Definition): Promise<CustomKind | undefined> => {
    const known = prepared.get(nameOf(definition)) ?? served.get(nameOf(definition));
    const kind =
      known !== undefined && sameKind(known.definition, definition) ? known.kind : customKind(definition, options);
    const state: Prepared = { definition, kind, loaded: false };
    prepared.set(nameOf(definition), state);
    if (kind !== undefined) await registries.load(kind.storage);
    state.loaded = true;
    return kind;
  };

  const retire = ({ kind, terminating }: Served): void => {
    for (const entry of new Set([...kind.served, ...(terminating?.served ?? [])])) registries.retire(entry);
  };

  const stop = (name: string): boolean => {
    prepared.delete(name);
    const known = served.get(name);
    if (known === undefined) return false;
    served.delete(name);
    retire(known);
    return true;
  };

  /** @returns whether the catalog has to change; undefined: the definition is to be prepared first. */
  const take = (name: string, definition: Definition): boolean | undefined => {
    const known = served.get(name);
    const going = isTerminating(definition);
    if (known !== undefined && sameKind(known.definition, definition)) {
      if (going === (known.terminating !== undefined)) return false;
      served.set(name, { ...known, definition, terminating: going ? terminating(known.kind) : undefined });
      return true;
    }
    const ready = prepared.get(name);
    if (ready?.loaded !== true || !sameKind(ready.definition, definition)) return undefined;
    prepared.delete(name);
    if (known !== undefined) retire(known);
    const { kind } = ready;
    if (kind === undefined) return served.delete(name);
    served.set(name, { definition, kind, terminating: going ? terminating(kind) : undefined });
    return true;
  };

  /** Those of one definition: what a change costs does not depend on how many others there are. */
  const publish = (name: string): void => {
    const known = served.get(name);
    catalog.putCustom(name, (known?.terminating ?? known?.kind)?.served ?? []);
  };

  return {
    prepare,
    kindOf: definition => served.get(nameOf(definition))?.kind ?? customKind(definition, options),
    async update(changed) {
      const unprepared: Definition[] = [];
      for (const [name, definition] of changed) {
        const known = served.get(name);
        const gone = definition === undefined || known?.definition.metadata.uid !== definition.metadata.uid;
        let moved = false;
        if (known !== undefined && gone) {
          moved = stop(name);
          registries.unload(known.kind.storage);
        }
        if (definition === undefined) prepared.delete(name);
        else if (!isTrue(definition, 'Established')) moved = stop(name) || moved;
        else {
          const taken = take(name, definition);
          if (taken === undefined) unprepared.push(definition);
          else moved = taken || moved;
        }
        if (moved) publish(name);
      }
      if (unprepared.length === 0) return;
      await Promise.all(unprepared.map(prepare));
      for (const definition of unprepared) {
        const name = nameOf(definition);
        // A newer state of it has been prepared meanwhile, or it is gone.
        if (prepared.get(name)?.definition === definition && take(name, definition) === true) publish(name);
      }
    },
  };
}
