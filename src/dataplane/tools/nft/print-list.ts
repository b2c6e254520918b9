import type { NftBase, NftSet } from '../../kernel/nftables/rule.js';
import type { LoadedChain, LoadedSet, NftTable } from '../../kernel/nftables/table.js';
import type { Kernel } from '../../kernel/types.js';
import type { Family } from '../../packet.js';
import { ipOf } from './family-name.js';
import { learnedElements, writtenElements } from './listed-elements.js';
import { durationText, elementText, setLines } from './set-text.js';
import { PRIORITY_NAMES } from './priorities.js';
import { nftRuleText } from './rule-text.js';

function priorityText({ hook, priority }: NftBase): string {
  for (const [value, name] of PRIORITY_NAMES) {
    if (value !== 0 && hook === 'output') continue;
    if (priority === value) return name;
    if (value !== 0 && Math.abs(priority - value) <= 10)
      return `${name} ${priority < value ? '-' : '+'} ${Math.abs(priority - value)}`;
  }
  return String(priority);
}

/** Sets of a chain that is written of whole lines. */
const block = (head: string, lines: readonly string[]): string =>
  `\t${head} {\n${lines.map(line => `\t\t${line}\n`).join('')}\t}\n`;

/** Two IPv4 addresses stand on a line, of anything longer one. */
function inLines(elements: readonly string[], { kind, key }: NftSet): string[] {
  const perLine = kind === 'set' && key.length === 1 && key[0] === 'ipv4_addr' ? 2 : 1;
  const count = Math.ceil(elements.length / perLine);
  return Array.from({ length: count }, (_, i) => elements.slice(i * perLine, (i + 1) * perLine).join(', '));
}

function setText(loaded: LoadedSet, now: number): string {
  const { set } = loaded;
  const static_ = writtenElements(loaded).map(elementText);
  const dynamic = learnedElements(loaded, now).map(
    ([key, left]) => `${key} expires ${durationText(Math.ceil(left / 1000))}`,
  );
  const all = [...static_, ...dynamic];
  const lines = setLines(set);
  if (all.length > 0) lines.push(`elements = { ${inLines(all, set).join(',\n\t\t\t     ')} }`);
  return block(`${set.kind} ${set.name}`, lines);
}

function chainText({ chain, rules }: LoadedChain, family: Family): string {
  const { base, comment } = chain;
  return block(`chain ${chain.name}`, [
    ...(base === undefined
      ? []
      : [`type ${base.type} hook ${base.hook} priority ${priorityText(base)}; policy accept;`]),
    ...(comment === undefined ? [] : [`comment "${comment}"`]),
    ...rules.map(rule => nftRuleText(rule, family)),
  ]);
}

function* tableParts(table: NftTable, family: Family, now: number): Generator<string> {
  yield `table ${ipOf(family)} ${table.name} {\n\tcomment "${table.comment}"\n`;
  let between = '';
  for (const set of table.sets.values()) {
    yield between + setText(set, now);
    between = '\n';
  }
  for (const chain of table.chains.values()) {
    yield between + chainText(chain, family);
    between = '\n';
  }
  yield '}\n';
}

/** One table as `nft -s list table` prints it. */
export const nftTableParts = ({ family, clock }: Kernel, table: NftTable): Generator<string> =>
  tableParts(table, family, clock.now());

/** One chain, or one set or map, as `nft -s list chain`, `list set` and `list map` print it. */
export function nftObjectText({ family, clock }: Kernel, table: NftTable, object: LoadedChain | LoadedSet): string {
  const text = 'chain' in object ? chainText(object, family) : setText(object, clock.now());
  return `table ${ipOf(family)} ${table.name} {\n${text}}\n`;
}

/** All tables as `nft -s list ruleset` prints them. */
export const printNftList = (kernel: Kernel): string => [...nftListParts(kernel)].join('');

/** The same, an object after the other. */
export function* nftListParts({ nftables, family, clock }: Kernel): Generator<string> {
  for (const [i, table] of nftables.tables().entries()) {
    if (i > 0) yield '\n';
    yield* tableParts(table, family, clock.now());
  }
}
