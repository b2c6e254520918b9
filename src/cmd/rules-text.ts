import type { Origin } from '../dataplane/trace.js';
import { joinHostPort } from '../machinery/ip.js';
import type { RuleSync } from '../nodeagent/proxy/sync-feed.js';

interface RuleJson {
  readonly text: string;
  readonly origin?: Origin;
}

/** The answer of GET rules?format=json, what is used of it. */
export interface NodeRules {
  readonly tables: readonly {
    readonly table: string;
    readonly chains: readonly { readonly name: string; readonly rules: readonly RuleJson[] }[];
  }[];
  readonly nftables: readonly {
    readonly table: string;
    readonly sets: readonly { readonly name: string; readonly kind: string; readonly elements: readonly string[] }[];
    readonly chains: readonly { readonly name: string; readonly rules: readonly RuleJson[] }[];
  }[];
  readonly ipvs: readonly {
    readonly protocol: string;
    readonly address: string;
    readonly port: number;
    readonly realServers: readonly { readonly address: string; readonly port: number; readonly weight: number }[];
    readonly origin?: Origin;
  }[];
}

/** A rule of a chain, an element of a set or map, or a virtual server with its real ones. */
export interface ShownRule {
  /** "nat KUBE-SERVICES", "kube-proxy map service-ips". */
  readonly place: string;
  readonly text: string;
  readonly origin?: Origin;
}

/** All rules and elements, in the order in which they stand. */
export function rulesOf({ tables, nftables, ipvs }: NodeRules): ShownRule[] {
  const ofChains = (table: string, chains: NodeRules['tables'][number]['chains']): ShownRule[] =>
    chains.flatMap(({ name, rules }) => rules.map(rule => ({ place: `${table} ${name}`, ...rule })));
  return [
    ...tables.flatMap(({ table, chains }) => ofChains(table, chains)),
    ...nftables.flatMap(({ table, sets, chains }) => [
      ...sets.flatMap(({ name, kind, elements }) =>
        elements.map(text => ({ place: `${table} ${kind} ${name}`, text })),
      ),
      ...ofChains(table, chains),
    ]),
    ...ipvs.flatMap(({ protocol, address, port, realServers, ...rest }) =>
      realServers.map(real => ({
        place: `ipvs ${protocol} ${joinHostPort(address, port)}`,
        text: `${joinHostPort(real.address, real.port)} weight ${real.weight}`,
        ...rest,
      })),
    ),
  ];
}

/** Those that are there because of one Service or its slices. Elements say so by the chain or the comment they have. */
export function ofService(rules: readonly ShownRule[], service: string, slices: ReadonlySet<string>): ShownRule[] {
  return rules.filter(({ origin, text }) => {
    if (origin === undefined)
      return text.includes(`-${service}/`) || text.includes(`"${service}:`) || text.includes(`"${service}"`);
    const name = `${origin.namespace ?? ''}/${origin.name}`;
    return origin.kind === 'Service' ? name === service : slices.has(name);
  });
}

/** By place, each place once. */
function byPlace(rules: readonly ShownRule[]): ReadonlyMap<string, readonly string[]> {
  const places = new Map<string, string[]>();
  for (const { place, text } of rules) {
    const texts = places.get(place) ?? [];
    places.set(place, texts);
    texts.push(text);
  }
  return places;
}

export const formatRules = (rules: readonly ShownRule[]): string =>
  [...byPlace(rules)].map(([place, texts]) => `${place}\n${texts.map(text => `  ${text}\n`).join('')}`).join('');

/** Lines that only one of two lists has, by place; of equal lines as many as are more. */
export function diffRules(a: readonly ShownRule[], b: readonly ShownRule[]): string {
  const [mine, theirs] = [byPlace(a), byPlace(b)];
  let text = '';
  for (const place of new Set([...mine.keys(), ...theirs.keys()])) {
    const [x, y] = [mine.get(place) ?? [], theirs.get(place) ?? []];
    const lines = [...more(x, y).map(line => `- ${line}\n`), ...more(y, x).map(line => `+ ${line}\n`)];
    if (lines.length > 0) text += `${place}\n${lines.join('')}`;
  }
  return text;
}

function more(lines: readonly string[], than: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const line of than) counts.set(line, (counts.get(line) ?? 0) + 1);
  return lines.filter(line => {
    const left = counts.get(line) ?? 0;
    counts.set(line, left - 1);
    return left <= 0;
  });
}

/** A sync as a paragraph: when, how long, why, and what it changed. Lines that "-" begins are gone, those with "+" are new. */
export function formatSync(
  { time, family, full, milliseconds, error, causes, moreCauses }: RuleSync,
  diff: string,
): string {
  const shown = causes.map(
    ({ event, kind, namespace, name, resourceVersion = '?' }) =>
      `  ${event} ${kind} ${namespace === undefined ? '' : `${namespace}/`}${name} (resourceVersion ${resourceVersion})\n`,
  );
  const more = moreCauses === 0 ? '' : `  and ${moreCauses} more\n`;
  const kind = error === undefined ? `${full ? 'full' : 'partial'} sync` : `sync failed: ${error}`;
  return `${time} ${family} ${kind}, ${milliseconds.toFixed(1)} ms\n${shown.join('')}${more}${diff}\n`;
}
