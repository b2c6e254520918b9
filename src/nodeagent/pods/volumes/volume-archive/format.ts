/**
 * How a volume is kept in a folder of this machine: `index.json` says what there is, and where the content of each file is, in
 * files named by numbers. Names that a Pod chose are never names of files here. What the index names is whole: it is replaced
 * after what it names has been written.
 */
export const INDEX = 'index.json';
export const blobName = (blob: number): string => `${blob}.bin`;

export interface Owner {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime?: number;
}

export type IndexEntry =
  /** Files with the same number are one file with several names. */
  | (Owner & { readonly kind: 'file'; readonly path: string; readonly blob: number })
  | (Owner & { readonly kind: 'directory'; readonly path: string })
  | (Owner & { readonly kind: 'link'; readonly path: string; readonly target: string });

export interface VolumeIndex {
  readonly version: 1;
  /** The next number. */
  readonly next: number;
  /** Paths within the volume: "" is itself. */
  readonly entries: readonly IndexEntry[];
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

/** @throws Error for what is no index */
export function parseIndex(text: string): VolumeIndex {
  const value = JSON.parse(text) as Partial<VolumeIndex> | null;
  const entries: unknown = value?.entries;
  if (value?.version !== 1 || !isCount(value.next) || !Array.isArray(entries))
    throw new Error('it is no index of a volume');
  for (const entry of entries as (Partial<IndexEntry> | null)[]) {
    const fine =
      typeof entry?.path === 'string' &&
      (entry.path === '' || entry.path.startsWith('/')) &&
      isCount(entry.mode) &&
      isCount(entry.uid) &&
      isCount(entry.gid) &&
      (entry.kind === 'directory' ||
        (entry.kind === 'file' && isCount(entry.blob)) ||
        (entry.kind === 'link' && typeof entry.target === 'string'));
    if (!fine) throw new Error('it has an entry that is none');
  }
  return value as VolumeIndex;
}
