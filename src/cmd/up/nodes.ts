import { join } from 'node:path';
import { readFileIfThere, writeFileAtomic } from '../../cluster/keys/files.js';
import { nodeProblems, type NodeDescription } from '../../cluster/node-description.js';
import { MAX_NODES } from './limits.js';

/** A node that the cluster is to have: its addresses follow from its number, and unless it has another its name, too. */
export interface WantedNode extends NodeDescription {
  readonly number: number;
  /** It has an object and is down. */
  readonly stopped: boolean;
}

const FILE = 'nodes.json';
const DEFAULT_NODES = 3;

export const nodeName = ({ number, name = `node-${number}` }: Pick<WantedNode, 'number' | 'name'>): string => name;

/** `kubette node` writes these, `up` follows them: a file, so that both are served by whatever happens to the other. */
export const writeNodes = (dataDir: string, nodes: readonly WantedNode[]): Promise<void> =>
  writeFileAtomic(join(dataDir, FILE), `${JSON.stringify(nodes, undefined, 2)}\n`, 0o600);

export async function readNodes(dataDir: string): Promise<WantedNode[] | undefined> {
  const text = await readFileIfThere(join(dataDir, FILE));
  if (text === undefined) return undefined;
  const nodes: unknown = JSON.parse(text);
  if (!Array.isArray(nodes) || !nodes.every(isWanted)) throw new Error(`${join(dataDir, FILE)} says nothing of nodes`);
  return nodes;
}

function isWanted(node: unknown): node is WantedNode {
  const { number, stopped } = (node ?? {}) as Partial<WantedNode>;
  return (
    Number.isSafeInteger(number) &&
    Number(number) >= 1 &&
    Number(number) <= MAX_NODES &&
    typeof stopped === 'boolean' &&
    nodeProblems(node as WantedNode, 'node').length === 0
  );
}

/** Names of logs and processes that are no nodes'. */
const TAKEN = ['apiserver', 'controller-manager', 'dns', 'publish', 'up'];

/** Further nodes, each with the first number that is free. @throws Error when a name is taken */
export function withNodes(nodes: readonly WantedNode[], added: readonly NodeDescription[]): WantedNode[] {
  const all = [...nodes];
  const names = new Set([...TAKEN, ...all.map(nodeName)]);
  const numbers = new Set(all.map(({ number }) => number));
  let first = 1;
  for (const description of added) {
    while (numbers.has(first)) first++;
    let number = first;
    const { name } = description;
    if (name !== undefined && names.has(name))
      throw new Error(`there is a node ${JSON.stringify(name)} already, or a process of that name`);
    while (numbers.has(number) || names.has(nodeName({ ...description, number }))) number++;
    const node = { ...description, number, stopped: false };
    all.push(node);
    names.add(nodeName(node));
    numbers.add(number);
  }
  return all;
}

/**
 * So many, of which the first are described; those described when nobody says how many; those that there were when nobody says
 * anything; or three. A node that is known by its name keeps its number, and so its addresses.
 */
export async function initialNodes(
  dataDir: string,
  count: number | undefined,
  described: readonly NodeDescription[] | undefined,
): Promise<WantedNode[]> {
  const known = await readNodes(dataDir);
  if (count === undefined && described === undefined && known !== undefined) return known;
  const length = count ?? described?.length ?? DEFAULT_NODES;
  const wanted = Array.from({ length }, (_, i): NodeDescription => described?.[i] ?? {});
  const old = wanted.map(({ name }) => (name === undefined ? undefined : known?.find(node => nodeName(node) === name)));
  const kept = wanted.flatMap((node, i) => {
    const before = old[i];
    return before === undefined ? [] : [{ ...node, number: before.number, stopped: false }];
  });
  const nodes = withNodes(
    kept,
    wanted.filter((_, i) => old[i] === undefined),
  );
  await writeNodes(dataDir, nodes);
  return nodes;
}
