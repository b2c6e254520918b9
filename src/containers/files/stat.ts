import { isDirectoryIn, type FileEntry, type LinkEntry, type Owned } from '../tree.js';
import { IMPLIED, kindAt, found, ownerAt, virtualAt, type Place, type View } from './places.js';
import { reach } from './access.js';
import { content } from './contents.js';
import type { FileStat } from './types.js';

let lastInode = 0;
const inodes = new WeakMap<object, number>();
const inodeOf = (entry: object): number => {
  const known = inodes.get(entry);
  if (known !== undefined) return known;
  inodes.set(entry, ++lastInode);
  return lastInode;
};

function owned({ mode, uid, gid, mtime }: Owned): Owned {
  return { mode, uid, gid, ...(mtime === undefined ? {} : { mtime }) };
}

/** Each names its parent. Counted when somebody asks: most do not. */
function subdirectories({ mount: { tree }, inner }: Place): number {
  let count = 0;
  for (const name of tree.childrenOf(inner === '' ? '/' : inner))
    if (isDirectoryIn(tree, `${inner === '/' ? '' : inner}/${name}`)) count++;
  return count;
}

async function statOf(view: View, place: Place): Promise<FileStat | undefined> {
  const { tree } = place.mount;
  const { tmpfs } = tree;
  const common = { tmpfs, tree };
  const link = tree.links.get(place.inner);
  const node = virtualAt(view, place);
  if (link !== undefined || node?.kind === 'link' || node?.kind === 'descriptor') {
    const owner: LinkEntry = link ?? {
      target: node !== undefined && 'target' in node ? node.target : '',
      mode: 0o777,
      uid: 0,
      gid: 0,
    };
    reach(view, place);
    const { target } = owner;
    return {
      ...common,
      ...owned(owner),
      kind: 'link',
      type: 'link',
      size: target.length,
      names: 1,
      target,
      inode: inodeOf(owner),
    };
  }
  const what = kindAt(view, place);
  if (what === undefined) return undefined;
  reach(view, place);
  const owner = ownerAt(place);
  if (what === 'directory')
    return {
      ...common,
      ...owned(owner),
      kind: 'directory',
      type: 'directory',
      size: 4096,
      get names() {
        return 2 + subdirectories(place);
      },
      inode: inodeOf(owner),
    };
  if (node !== undefined)
    return {
      ...common,
      ...owned({ ...IMPLIED, mode: 0o444 }),
      kind: 'file',
      type: 'regular',
      size: 0,
      names: 1,
      inode: 1,
    };
  const entry = owner as FileEntry;
  const { device, names = 1 } = entry;
  const type = device !== undefined ? 'character' : entry.fifo === true ? 'fifo' : 'regular';
  return {
    ...common,
    ...owned(owner),
    kind: 'file',
    type,
    ...(device === undefined ? {} : { device }),
    size: device === undefined ? (await content(entry)).length : 0,
    names,
    inode: inodeOf(entry),
  };
}

export async function stat(view: View, path: string): Promise<FileStat | undefined> {
  const place = found(view, path);
  if (place === undefined) return undefined;
  const node = virtualAt(view, place);
  if (node?.kind !== 'descriptor') return statOf(view, place);
  const { tree } = place.mount;
  const real = node.target.startsWith('/') && node.target !== place.path ? await stat(view, node.target) : undefined;
  return (
    real ?? { ...IMPLIED, mode: 0o620, kind: 'file', type: 'fifo', size: 0, names: 1, inode: 1, tmpfs: true, tree }
  );
}

export async function linkStat(view: View, path: string): Promise<FileStat | undefined> {
  const place = found(view, path, false);
  return place === undefined ? undefined : statOf(view, place);
}
