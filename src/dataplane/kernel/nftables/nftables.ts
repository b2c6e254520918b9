import { NetfilterError } from '../errors.js';
import { ACCEPT, type HookFunction, PRIORITY } from '../hooks.js';
import type { NftablesProgram } from '../program.js';
import type { Translate } from '../translation.js';
import type { NftEnvironment } from './match.js';
import type { NftBase } from './rule.js';
import { applyProgram, type LoadedChain, type NftTable } from './table.js';
import { traverseBase } from './traverse.js';

/** The tables of nftables. */
export interface Nftables {
  tables(): readonly NftTable[];
}

/** What the rest of the kernel sees of it. */
export interface NftablesModule extends Nftables {
  readonly hooks: readonly HookFunction[];
  /** Base chains of type nat; NAT calls them. */
  readonly natRules: readonly HookFunction[];
  /** @throws NetfilterError, and nothing is changed */
  load(program: NftablesProgram): void;
}

export interface NftablesOptions extends NftEnvironment {
  readonly translate: Translate;
}

/** Where base chains can hang: others are refused. */
const PLACES: readonly NftBase[] = [
  { type: 'filter', hook: 'prerouting', priority: PRIORITY.beforeDestinationNat },
  { type: 'filter', hook: 'output', priority: PRIORITY.beforeDestinationNat },
  { type: 'filter', hook: 'input', priority: PRIORITY.filter },
  { type: 'filter', hook: 'forward', priority: PRIORITY.filter },
  { type: 'filter', hook: 'output', priority: PRIORITY.filter },
  { type: 'nat', hook: 'prerouting', priority: PRIORITY.destinationNat },
  { type: 'nat', hook: 'output', priority: PRIORITY.destinationNat },
  { type: 'nat', hook: 'input', priority: PRIORITY.sourceNat },
  { type: 'nat', hook: 'postrouting', priority: PRIORITY.sourceNat },
];

const placeText = ({ type, hook, priority }: NftBase): string => `${type} ${hook} ${priority}`;

export function createNftables(options: NftablesOptions): NftablesModule {
  const tables = new Map<string, NftTable>();
  /** Base chains by place, of all tables. */
  let chainsAt: ReadonlyMap<string, readonly (readonly [NftTable, LoadedChain])[]> = new Map();

  function indexBases(): void {
    const index = new Map<string, (readonly [NftTable, LoadedChain])[]>();
    for (const table of tables.values())
      for (const loaded of table.chains.values()) {
        const { base } = loaded.chain;
        if (base === undefined) continue;
        const place = placeText(base);
        index.set(place, [...(index.get(place) ?? []), [table, loaded]]);
      }
    chainsAt = index;
  }

  const functionAt = (place: NftBase): HookFunction => {
    const text = placeText(place);
    const { hook, priority } = place;
    return {
      hook,
      priority,
      run(passage) {
        for (const [table, chain] of chainsAt.get(text) ?? []) {
          const result = traverseBase({ ...options, table, hook, passage }, chain);
          if (result.kind !== 'accept') return result;
        }
        return ACCEPT;
      },
    };
  };
  const functionsOf = (type: NftBase['type']): HookFunction[] =>
    PLACES.filter(place => place.type === type).map(functionAt);
  const known = new Set(PLACES.map(placeText));

  return {
    hooks: functionsOf('filter'),
    natRules: functionsOf('nat'),
    tables: () => [...tables.values()],
    load(program) {
      let bases = program.full;
      for (const command of program.commands) {
        if (command.kind !== 'addChain' || command.chain.base === undefined) continue;
        bases = true;
        if (!known.has(placeText(command.chain.base)))
          throw new NetfilterError(`no chain can hang at ${placeText(command.chain.base)}`);
      }
      tables.set(program.table, applyProgram(tables.get(program.table), program, options.clock.now()));
      if (bases) indexBases();
    },
  };
}
