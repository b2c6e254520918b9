import { createRepeatCheck } from '../../../machinery/repeats.js';

/** More pairs than this are not looked for: a header of warnings ends long before. */
const MAX_PAIRS = 1000;

interface Node {
  readonly path: string;
  readonly parent: Node | undefined;
  readonly children: Node[];
  /** Places in the list, ascending. */
  readonly at: number[];
}

/**
 * Pairs [later, earlier] of paths that are the same or one the folder of the other, ordered by both; empty paths are
 * left out. Upstream compares each with each; here the paths make a forest first, whose branches are all that is looked at.
 */
export function overlappingPaths(paths: readonly string[]): (readonly [later: number, earlier: number])[] {
  const nodes = forest(paths);
  const pairs: (readonly [number, number])[] = [];
  for (const [i, path] of paths.entries()) {
    const node = nodes.get(path);
    if (node === undefined) continue;
    const earlier = [...branch(node)].flatMap(({ at }) => at.slice(0, firstFrom(at, i)));
    for (const j of earlier.sort((a, b) => a - b)) {
      pairs.push([i, j]);
      if (pairs.length === MAX_PAIRS) return pairs;
    }
  }
  return pairs;
}

const firstFrom = (ascending: readonly number[], limit: number): number => {
  const at = ascending.findIndex(value => value >= limit);
  return at < 0 ? ascending.length : at;
};

/** A node with everything above and below it. */
function* branch(node: Node): Iterable<Node> {
  for (let above = node.parent; above !== undefined; above = above.parent) yield above;
  const left = [node];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    yield next;
    for (const child of next.children) left.push(child);
  }
}

function forest(paths: readonly string[]): ReadonlyMap<string, Node> {
  const again = createRepeatCheck<string>();
  const distinct = paths.filter(path => path !== '' && !again(path)).map(path => `${path}/`);
  const nodes = new Map<string, Node>();
  const open: Node[] = [];
  // In this order what is in a folder follows it at once.
  for (const folder of distinct.sort((a, b) => (a < b ? -1 : 1))) {
    while (open.length > 0 && !folder.startsWith(`${open.at(-1)?.path}/`)) open.pop();
    const parent = open.at(-1);
    const node: Node = { path: folder.slice(0, -1), parent, children: [], at: [] };
    parent?.children.push(node);
    nodes.set(node.path, node);
    open.push(node);
  }
  for (const [i, path] of paths.entries()) nodes.get(path)?.at.push(i);
  return nodes;
}
