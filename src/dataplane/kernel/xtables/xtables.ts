import type { Clock } from '../../../machinery/clock.js';
import { type HookFunction, PRIORITY } from '../hooks.js';
import type { Ipsets } from '../ipset/ipsets.js';
import type { XtablesProgram } from '../program.js';
import type { RouteTable } from '../routes.js';
import type { Hook } from '../../trace.js';
import type { Translate } from '../translation.js';
import { BUILTIN_CHAIN_OF, BUILTIN_CHAINS, TABLES } from './builtin-chains.js';
import { snapshot } from './chain.js';
import { loadProgram } from './load.js';
import { createRecentLists } from './recent.js';
import type { TableName, TableSnapshot } from './rule.js';
import { checkLoops, createTable, editTable, type TableEdit } from './table.js';
import { createTraversal } from './traverse.js';

/** The four tables of iptables. */
export interface Xtables {
  tables(): readonly TableSnapshot[];
  /** recent lists by name: source address and clock milliseconds it was last set. */
  recent(): ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** Changes one table, as iptables-restore does between a table's name and COMMIT: all of it or, when something throws, nothing. */
  change(table: TableName, edit: (edit: TableEdit) => void): void;
}

export interface XtablesOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly routes: RouteTable;
  readonly translate: Translate;
  readonly sets: Ipsets;
}

/** What the rest of the kernel sees of it. */
export interface XtablesModule extends Xtables {
  readonly hooks: readonly HookFunction[];
  /** The nat table's functions; NAT calls them. */
  readonly natRules: readonly HookFunction[];
  /** @throws NetfilterError, and nothing is changed */
  load(program: XtablesProgram): void;
}

const HOOKS: readonly Hook[] = ['prerouting', 'input', 'forward', 'output', 'postrouting'];

export function createXtables({ clock, random, routes, translate, sets }: XtablesOptions): XtablesModule {
  const tables = {
    raw: createTable('raw'),
    mangle: createTable('mangle'),
    nat: createTable('nat'),
    filter: createTable('filter'),
  };
  const recent = createRecentLists(clock);
  const traverse = createTraversal({
    family: routes.family,
    translate,
    environment: { isLocal: address => routes.isLocal(address), random, recent, sets },
  });

  /** A table is seen at the hooks that it has chains for. */
  const functionsOf = (table: TableName, priority: (hook: Hook) => number): HookFunction[] =>
    HOOKS.filter(hook => BUILTIN_CHAINS[table].includes(BUILTIN_CHAIN_OF[hook])).map(hook => ({
      hook,
      priority: priority(hook),
      run: passage => traverse(tables[table], hook, passage),
    }));

  /** Checks every edit before the first is committed. */
  function commit(edits: Iterable<TableEdit>): void {
    const all = [...edits];
    for (const edit of all) edit.check();
    for (const edit of all) edit.commit();
    recent.keepOnly(name => Object.values(tables).some(table => table.recentUsers.has(name)));
  }

  return {
    hooks: [
      ...functionsOf('raw', () => PRIORITY.raw),
      ...functionsOf('mangle', () => PRIORITY.mangle),
      ...functionsOf('filter', () => PRIORITY.filter),
    ],
    natRules: functionsOf('nat', hook =>
      hook === 'prerouting' || hook === 'output' ? PRIORITY.destinationNat : PRIORITY.sourceNat,
    ),
    load(program) {
      const edits = new Map<TableName, TableEdit>();
      loadProgram(program, name => {
        const edit = edits.get(name) ?? editTable(tables[name]);
        edits.set(name, edit);
        return edit;
      });
      commit(edits.values());
    },
    change(table, change) {
      const edit = editTable(tables[table]);
      change(edit);
      edit.check();
      checkLoops(edit, BUILTIN_CHAINS[table]);
      commit([edit]);
    },
    tables: () =>
      TABLES.map(name => ({
        table: name,
        touched: tables[name].touched,
        chains: [...tables[name].chains.values()].map(snapshot),
      })),
    recent: () => recent.snapshot(),
  };
}
