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
export function printIpsetSave({ ipsets }: Kernel): string {
  const lines = ipsets.all().flatMap(set => [
    createText(set),
    ...[...set.entries]
      .map(key => entryText(set, key))
      .sort(compareEntries)
      .map(entry => `add ${set.name} ${entry}`),
  ]);
  return lines.map(line => `${line}\n`).join('');
}
