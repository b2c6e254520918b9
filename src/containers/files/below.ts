import { joinPath } from '../paths.js';
import { sizeOf, type Tree } from '../tree.js';

/** Every path at or below one, deepest last. */
export function* below(tree: Tree, inner: string): Generator<string> {
  const waiting = [inner];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (tree.files.has(path) || tree.directories.has(path) || tree.links.has(path)) yield path;
    for (const name of tree.childrenOf(path)) waiting.push(joinPath(path, name));
  }
}

export const lengthOf = (tree: Tree, path: string): number => {
  const entry = tree.files.get(path);
  return entry === undefined ? 0 : sizeOf(entry);
};

export function removeBelow(tree: Tree, inner: string): void {
  for (const path of [...below(tree, inner)]) {
    tree.files.delete(path);
    tree.directories.delete(path);
    tree.links.delete(path);
  }
}

export function moveEntry(from: Tree, path: string, to: Tree, target: string): void {
  const file = from.files.get(path);
  const directory = from.directories.get(path);
  const link = from.links.get(path);
  if (file !== undefined) {
    from.files.delete(path);
    to.files.set(target, file);
  }
  if (directory !== undefined) {
    from.directories.delete(path);
    to.directories.set(target, directory);
  }
  if (link !== undefined) {
    from.links.delete(path);
    to.links.set(target, link);
  }
}
