import { loadKubeConfig } from '../../client/kubeconfig.js';
import { createClient } from '../../client/rest-client.js';
import { NODES } from '../../client/resources.js';
import type { Clock } from '../../machinery/clock.js';
import { humanDuration } from '../../machinery/duration.js';
import { isNodeReady } from '../../machinery/node-ready.js';
import type { Node } from '../../machinery/types.js';
import { join } from 'node:path';
import { ADMIN } from '../../cluster/keys/kubeconfig.js';
import { runningRecord, type ClusterRecord } from './record.js';
import { contextOf, type Which } from './which.js';

export type State = 'stopped' | 'starting' | 'running' | 'not answering';

export interface ClusterStatus {
  readonly name: string | undefined;
  readonly dataDir: string;
  readonly state: State;
  readonly context: string;
  /** The rest only while it runs. */
  readonly url?: string;
  readonly pid?: number;
  readonly startedAt?: number;
  readonly components?: ClusterRecord['components'];
  readonly nodes?: readonly { readonly name: string; readonly ready: boolean; readonly nodePortsOn: string }[];
}

const PATIENCE_MS = 3_000;

/** What runs in a data folder, and whether it answers. */
export async function statusOf({ name, dataDir }: Which, clock: Clock): Promise<ClusterStatus> {
  const record = await runningRecord(dataDir);
  const known = { name: record?.name ?? name, dataDir, context: contextOf(record?.name ?? name) };
  if (record === undefined) return { ...known, state: 'stopped' };
  const { url, pid, startedAt, components } = record;
  const ready = await readyNodes(dataDir, clock);
  const state = record.readyAt === undefined ? 'starting' : ready === undefined ? 'not answering' : 'running';
  const nodes = record.nodes.map(node => ({
    name: node.name,
    ready: ready?.has(node.name) === true,
    nodePortsOn: node.bindAddress,
  }));
  return { ...known, state, url, pid, startedAt, components, nodes };
}

/** undefined: nobody answers. */
async function readyNodes(dataDir: string, clock: Clock): Promise<Set<string> | undefined> {
  try {
    const client = createClient(await loadKubeConfig(join(dataDir, ADMIN.file)), 'kubette-status');
    // What is asked then fails.
    const cancel = clock.after(PATIENCE_MS, () => client.close());
    try {
      const { items } = await client.resource<Node>(NODES).list();
      return new Set(items.filter(isNodeReady).map(({ metadata }) => metadata.name ?? ''));
    } finally {
      cancel();
      client.close();
    }
  } catch {
    // Why is for its log; here it counts that it does not answer.
    return undefined;
  }
}

/** As a terminal shows it. */
export function formatStatus(status: ClusterStatus, now: number): string {
  const { state, url, pid, startedAt = now, components = {}, nodes = [], context, dataDir } = status;
  const rows: [string, string][] = [
    ['state', state === 'stopped' ? state : `${state} for ${humanDuration(now - startedAt)} (process ${pid ?? 0})`],
    ['context', context],
    ['data folder', dataDir],
  ];
  if (url !== undefined) rows.splice(1, 0, ['API server', url]);
  for (const [name, process] of Object.entries(components))
    if (!name.startsWith('node-agent ')) rows.push([name, `process ${process}`]);
  for (const { name, ready, nodePortsOn } of nodes)
    rows.push([name, `${ready ? 'Ready' : 'NotReady'}${nodePortsOn === '' ? '' : `, node ports on ${nodePortsOn}`}`]);
  const width = Math.max(...rows.map(([label]) => label.length)) + 2;
  return rows.map(([label, value]) => `${label.padEnd(width)}${value}\n`).join('');
}

/** One line per cluster. */
export function formatList(all: readonly ClusterStatus[]): string {
  const rows = [
    ['NAME', 'STATE', 'CONTEXT', 'NODES', 'DATA FOLDER'],
    ...all.map(({ name = '-', state, context, nodes, dataDir }) => [
      name,
      state,
      context,
      nodes === undefined ? '-' : String(nodes.length),
      dataDir,
    ]),
  ];
  const widths = rows[0]?.map((_, i) => Math.max(...rows.map(row => (row[i] ?? '').length)) + 3) ?? [];
  return rows
    .map(row => `${row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0))).join('')}\n`)
    .join('');
}
