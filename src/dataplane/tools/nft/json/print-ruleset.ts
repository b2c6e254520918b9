import type { Json } from '../../../../machinery/types.js';
import type { NftRule } from '../../../kernel/nftables/rule.js';
import type { LoadedChain, LoadedSet, NftTable } from '../../../kernel/nftables/table.js';
import type { Kernel } from '../../../kernel/types.js';
import type { Family } from '../../../packet.js';
import { ipOf } from '../family-name.js';
import { baseJson } from './chain-json.js';
import { anonymousSets, expressionsJson } from './rule-json.js';
import { keyTypesJson, setJson } from './set-json.js';
import { jsonText } from './text.js';

/** Of the nft whose output this is. */
const METAINFO = { version: '1.0.6', release_name: 'Lester Gooch #5', json_schema_version: 1 };

type Item = { [kind: string]: Json };

/** Handles of one table: the kernel numbers what it is given, sets without a name too. */
class Handles {
  #last = 0;
  next(besides = 0): number {
    return (this.#last += besides + 1);
  }
}

function setItem({ name }: NftTable, loaded: LoadedSet, family: Family, handles: Handles, now: number): Item {
  const { set } = loaded;
  const head = { family: ipOf(family), name: set.name, table: name, type: keyTypesJson(set), handle: handles.next() };
  return { [set.kind]: { ...head, ...setJson(loaded, now) } };
}

function chainItem(
  { name: table }: NftTable,
  { chain: { name, base } }: LoadedChain,
  family: Family,
  handles: Handles,
) {
  return { chain: { family: ipOf(family), table, name, handle: handles.next(), ...baseJson(base) } };
}

function ruleItem({ name: table }: NftTable, rule: NftRule, family: Family, handles: Handles): Item {
  const { chain, comment } = rule;
  const handle = handles.next(anonymousSets(rule));
  const about = comment === undefined ? {} : { comment };
  return { rule: { family: ipOf(family), table, chain, handle, ...about, expr: expressionsJson(rule, family) } };
}

function* tableItems(table: NftTable, handle: number, family: Family, now: number): Generator<Item> {
  const handles = new Handles();
  yield { table: { family: ipOf(family), name: table.name, handle } };
  for (const set of table.sets.values()) yield setItem(table, set, family, handles, now);
  for (const chain of table.chains.values()) yield chainItem(table, chain, family, handles);
  for (const { rules } of table.chains.values()) for (const rule of rules) yield ruleItem(table, rule, family, handles);
}

/**
 * All tables as `nft -j list ruleset` of 1.0.6 prints them, which leaves out comments of tables and chains. Handles are those
 * that a new kernel gives to what is loaded in the order in which it stands.
 */
export const printNftJson = (kernel: Kernel): string => [...nftJsonParts(kernel)].join('');

/** The same, an object after the other. */
export function* nftJsonParts({ nftables, family, clock }: Kernel): Generator<string> {
  yield `{"nftables": [${jsonText({ metainfo: METAINFO })}`;
  for (const [i, table] of nftables.tables().entries())
    for (const item of tableItems(table, i + 1, family, clock.now())) yield `, ${jsonText(item)}`;
  yield ']}\n';
}
