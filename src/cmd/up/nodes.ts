import { join } from 'node:path';
import { readFileIfThere, writeFileAtomic } from '../../cluster/keys/files.js';
import { MAX_NODES } from './plan.js';

/** A node that the cluster is to have. Its name is node-<number>, and its addresses follow from that. */
export interface WantedNode {
  readonly number: number;
  /** It has an object and is down. */
  readonly stopped: boolean;
}

const FILE = 'nodes.json';
const DEFAULT_NODES = 3;

export const nodeName = ({ number }: Pick<WantedNode, 'number'>): string => `node-${number}`;

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
    Number.isSafeInteger(number) && Number(number) >= 1 && Number(number) <= MAX_NODES && typeof stopped === 'boolean'
  );
}

/** So many, or those that there were when nobody says how many, or three. */
export async function initialNodes(dataDir: string, count: number | undefined): Promise<WantedNode[]> {
  const known = count === undefined ? await readNodes(dataDir) : undefined;
  const nodes =
    known ?? Array.from({ length: count ?? DEFAULT_NODES }, (_, i): WantedNode => ({ number: i + 1, stopped: false }));
  await writeNodes(dataDir, nodes);
  return nodes;
}
