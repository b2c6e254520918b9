import { compareText } from '../../../machinery/compare-text.js';
import { entryText, type Ipset, MAX_ELEMENTS } from '../../kernel/ipset/ipset.js';
import type { Kernel } from '../../kernel/types.js';

export interface PrintSetsOptions {
  /** Only this one. */
  readonly name?: string;
  /** -t: without the members. */
  readonly terse?: boolean;
}

/** Of Linux 6.1. */
const REVISIONS: Readonly<Record<Ipset['type'], number>> = {
  'bitmap:port': 3,
  'hash:ip': 6,
  'hash:ip,port': 7,
  'hash:ip,port,ip': 7,
  'hash:ip,port,net': 8,
};
/** Bytes of an empty set, and of each entry. */
const WEIGHTS: Readonly<Record<Ipset['type'], readonly [number, number]>> = {
  'bitmap:port': [8264, 0],
  'hash:ip': [216, 24],
  'hash:ip,port': [216, 48],
  'hash:ip,port,ip': [216, 56],
  'hash:ip,port,net': [464, 56],
};

const compareEntries = (a: string, b: string): number => Number(a) - Number(b) || compareText(a, b);

/** What `ipset list` 7.17 prints, set by set; entries of a hash are sorted. References are rules that match by the set. */
export function* ipsetListLines(kernel: Kernel, { name, terse }: PrintSetsOptions = {}): Generator<string> {
  const references = new Map<string, number>();
  for (const { chains } of kernel.xtables.tables())
    for (const { rules } of chains) {
      yield '';
      for (const { rule } of rules)
        for (const match of rule.matches)
          if (match.kind === 'set') references.set(match.set, (references.get(match.set) ?? 0) + 1);
    }
  let between = '';
  for (const set of kernel.ipsets.all()) {
    if (name !== undefined && set.name !== name) continue;
    const { type, family, initval, entries } = set;
    const [empty, each] = WEIGHTS[type];
    const inet = family === 'IPv4' ? 'inet' : 'inet6';
    const header =
      type === 'bitmap:port'
        ? 'range 0-65535'
        : `family ${inet} hashsize 1024 maxelem ${MAX_ELEMENTS} bucketsize 12 initval 0x${initval.toString(16).padStart(8, '0')}`;
    yield `${between}Name: ${set.name}\nType: ${type}\nRevision: ${REVISIONS[type]}\nHeader: ${header}\nSize in memory: ${empty + each * entries.size}\nReferences: ${references.get(set.name) ?? 0}\nNumber of entries: ${entries.size}\n`;
    between = '\n';
    if (terse === true) continue;
    yield 'Members:\n';
    const members = [...entries].map(key => entryText(set, key)).sort(compareEntries);
    for (const member of members) yield `${member}\n`;
  }
}
