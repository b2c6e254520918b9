import type { BackedUp } from '../../cluster/store-care/backup.js';
import type { Restored } from '../../cluster/store-care/restore.js';
import type { Checked } from '../../cluster/store-care/check.js';

const UNITS = ['kB', 'MB', 'GB', 'TB'] as const;

/** "512 B", "1.2 MB": in thousands, as disks are sold. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  let value = bytes;
  let unit = -1;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value.toFixed(value < 10 ? 1 : 0)} ${UNITS[unit] ?? ''}`;
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

/** What a store holds, as a terminal shows it. */
export function formatSummary({ revision, compacted, objects, changes, files, bytes, encrypted }: Checked): string {
  const lines = [
    `${counted(objects, 'object')} as of revision ${revision}, ${formatBytes(bytes)} in ${counted(files, 'file')}`,
    `history: ${counted(changes, 'change')} after revision ${compacted}`,
  ];
  if (encrypted > 0)
    lines.push(`${counted(encrypted, 'value')} encrypted: --encryption-provider-config has them looked at, too`);
  return lines.map(line => `${line}\n`).join('');
}

export const problemsText = (count: number): string =>
  `${counted(count, 'problem')}; "kubette store repair" keeps what can be read, and the store as it is aside`;

export const formatBackedUp = ({ objects, revision }: BackedUp): string =>
  `${counted(objects, 'object')} as of revision ${revision}`;

export function formatRestored({ objects, takenAt, was, revision, kept }: Restored, dataDir: string): string {
  const lines = [
    `${dataDir} has ${counted(objects, 'object')} as of revision ${was} (${takenAt}); revisions go on at ${revision + 1}`,
    ...(kept === undefined ? [] : [`what was there is in ${kept}`]),
  ];
  return lines.map(line => `${line}\n`).join('');
}
