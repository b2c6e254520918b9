import type { NftRule, NftSet } from '../../kernel/nftables/rule.js';
import type { NftablesProgram, NftCommand } from '../../kernel/program.js';
import type { Family } from '../../packet.js';
import type { Refuse } from './refuse.js';

/** What a script does to one table. */
export interface TableProgram {
  /** The table is there. */
  begin(): void;
  /** What was there, and what was done to it before, is gone. */
  remove(): void;
  setComment(comment: string): void;
  add(command: NftCommand): void;
  addRules(chain: string, rules: readonly NftRule[]): void;
  /** As the script itself says that it is. */
  set(name: string): NftSet | undefined;
}

export interface Programs {
  /** `refuse`: says what is wrong with this naming of it. */
  table(refuse: Refuse, name: string): TableProgram;
  all(): NftablesProgram[];
}

interface Collected {
  readonly program: TableProgram;
  /** Undefined: it is there at the end. */
  readonly refuseGone: Refuse | undefined;
  result(): NftablesProgram;
}

function collect(name: string, family: Family, refuse: Refuse): Collected {
  const sets = new Map<string, NftSet>();
  let commands: NftCommand[] = [];
  let rules: NftRule[] | undefined;
  let rulesOf = '';
  let comment = '';
  let full = false;
  let isGone = false;

  /** In a run of rules of one chain: each by itself would copy the chain. */
  function addRules(chain: string, more: readonly NftRule[]): void {
    if (rules === undefined || rulesOf !== chain) {
      rules = [];
      rulesOf = chain;
      commands.push({ kind: 'addRules', chain, rules });
    }
    for (const rule of more) rules.push(rule);
  }

  return {
    program: {
      begin: () => void (isGone = false),
      remove() {
        commands = [];
        rules = undefined;
        sets.clear();
        comment = '';
        full = isGone = true;
      },
      setComment: text => void (comment = text),
      add(command) {
        rules = undefined;
        if (command.kind === 'addSet') sets.set(command.set.name, command.set);
        if (command.kind === 'deleteSet') sets.delete(command.set);
        commands.push(command);
      },
      addRules,
      set: set => sets.get(set),
    },
    get refuseGone() {
      return isGone ? refuse : undefined;
    },
    result: () => ({ kind: 'nftables', family, full, table: name, comment, commands }),
  };
}

export function createPrograms(family: Family): Programs {
  const tables = new Map<string, Collected>();
  return {
    table(refuse, name) {
      const found = tables.get(name) ?? collect(name, family, refuse);
      tables.set(name, found);
      return found.program;
    },
    all() {
      const all = [...tables.values()];
      for (const { refuseGone } of all) refuseGone?.('a table that is deleted and not added again is not simulated');
      return all.map(one => one.result());
    },
  };
}
