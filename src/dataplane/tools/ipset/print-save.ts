import { compareText } from '../../../machinery/compare-text.js';
import { entryText, type Ipset, MAX_ELEMENTS } from '../../kernel/ipset/ipset.js';
import type { Kernel } from '../../kernel/types.js';

function createText({ name, type, family, initval }: Ipset): string {
  if (type === 'bitmap:port') return `create ${name} ${type} range 0-65535`;
  const inet = family === 'IPv4' ? 'inet' : 'inet6';
  const hash = `bucketsize 12 initval 0x${initval.toString(16).padStart(8, '0')}`;
  return `create ${name} ${type} family ${inet} hashsize 1024 maxelem ${MAX_ELEMENTS} ${hash}`;
}

const compareEntries = (a: string, b: string): number => Number(a) - Number(b) || compareText(a, b);

/** What `ipset save` 7.17 prints. The kernel lists a hash in the order of its buckets; here entries are sorted. */
export const printIpsetSave = (kernel: Kernel): string => [...ipsetSaveLines(kernel)].join('');

/** The same, line by line. */
export function* ipsetSaveLines({ ipsets }: Kernel): Generator<string> {
  for (const set of ipsets.all()) {
    yield `${createText(set)}\n`;
    const entries = [...set.entries].map(key => entryText(set, key)).sort(compareEntries);
    for (const entry of entries) yield `add ${set.name} ${entry}\n`;
  }
}
