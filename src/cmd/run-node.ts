import { join } from 'node:path';
import { loadKubeConfig } from '../client/kubeconfig.js';
import { NODES } from '../client/resources.js';
import { createClient, type RestClient } from '../client/rest-client.js';
import { ADMIN } from '../cluster/keys/kubeconfig.js';
import type { NodeDescription } from '../cluster/node-description.js';
import { realClock } from '../machinery/clock.js';
import { isNodeReady } from '../machinery/node-ready.js';
import { isStatusError } from '../machinery/status.js';
import type { Node } from '../machinery/types.js';
import { readRecord, runningRecord } from './clusters/record.js';
import { titleOf } from './clusters/stop.js';
import { whichCluster, type Flags } from './clusters/which.js';
import { nodeDescriptionFrom } from './node-flags.js';
import { fail, FlagError, integerFlag } from './process.js';
import { NODES_CHANGED } from './up/follow-nodes.js';
import { nodeName, readNodes, withNodes, writeNodes, type WantedNode } from './up/nodes.js';
import { agentName } from './up/processes.js';
import { MAX_NODES } from './up/limits.js';

export type NodeVerb = 'add' | 'stop' | 'start' | 'delete';

const PATIENCE_MS = 60_000;
const POLL_MS = 50;

/** Changes what nodes a running cluster has, and waits until it is so. */
export async function runNode(verb: NodeVerb, given: string | undefined, flags: Flags): Promise<void> {
  try {
    const which = whichCluster(flags);
    const record = await runningRecord(which.dataDir);
    if (record === undefined) throw new Error(`${titleOf(which)} does not run; "kubette up" starts it`);
    const nodes = (await readNodes(which.dataDir)) ?? [];
    const changed =
      verb === 'add' ? added(nodes, given, nodeDescriptionFrom(flags)) : changedOne(nodes, verb, given ?? '');
    if ((verb === 'stop' || verb === 'delete') && sharesAgent(given ?? '', nodes, record.components))
      throw new Error(
        `${given ?? ''} shares an agent with other nodes (--nodes-per-agent): none of them is stopped alone`,
      );
    await writeNodes(which.dataDir, changed);
    process.kill(record.pid, NODES_CHANGED);
    const client = createClient(await loadKubeConfig(join(which.dataDir, ADMIN.file)), 'kubette-node');
    try {
      for (const line of await settled({
        verb,
        nodes,
        changed,
        client,
        dataDir: which.dataDir,
        given: given ?? '',
      }))
        process.stdout.write(`${line}\n`);
    } finally {
      client.close();
    }
  } catch (error) {
    fail('node', error);
  }
}

/** Whether a node that runs has no process of its own. */
const sharesAgent = (
  name: string,
  nodes: readonly WantedNode[],
  components: Readonly<Record<string, number>>,
): boolean =>
  nodes.some(node => nodeName(node) === name && !node.stopped) && !Object.hasOwn(components, agentName(name));

/** @throws Error when a name is taken, or would be of several */
function added(nodes: readonly WantedNode[], given = '1', description: NodeDescription): WantedNode[] {
  const count = integerFlag('count', given, 1, MAX_NODES - nodes.length);
  if (count > 1 && description.name !== undefined) throw new FlagError('--node-name is for one node');
  return withNodes(
    nodes,
    Array.from({ length: count }, () => description),
  );
}

function changedOne(nodes: readonly WantedNode[], verb: Exclude<NodeVerb, 'add'>, name: string): WantedNode[] {
  const found = nodes.find(node => nodeName(node) === name);
  if (found === undefined)
    throw new Error(`there is no node ${JSON.stringify(name)}; there is ${nodes.map(nodeName).join(', ') || 'none'}`);
  const others = nodes.filter(node => node !== found);
  if (verb === 'delete') return others;
  return nodes.map(node => (node === found ? { ...node, stopped: verb === 'stop' } : node));
}

interface Change {
  readonly verb: NodeVerb;
  readonly nodes: readonly WantedNode[];
  readonly changed: readonly WantedNode[];
  readonly client: RestClient;
  readonly dataDir: string;
  readonly given: string;
}

/** Waits until the change has come about. @returns what to say of it */
async function settled({ verb, nodes, changed, client, dataDir, given }: Change): Promise<string[]> {
  const until = async (what: string, holds: () => Promise<boolean>): Promise<void> => {
    const end = realClock.monotonic() + PATIENCE_MS;
    while (!(await holds())) {
      if (realClock.monotonic() > end)
        throw new Error(`${what}: not within ${PATIENCE_MS / 1000} s; see "kubette logs"`);
      await realClock.sleep(POLL_MS);
    }
  };
  const agents = async (): Promise<Set<string>> => new Set(Object.keys((await readRecord(dataDir))?.components ?? {}));
  if (verb === 'stop' || verb === 'delete') {
    await until(`${given} ends`, async () => !(await agents()).has(agentName(given)));
    if (verb === 'stop')
      return [`${given} is stopped; its Node is NotReady within 50 s, its Pods are evicted 5 min later`];
    try {
      await client.resource<Node>(NODES).delete({ namespace: '', name: given });
    } catch (error) {
      if (!isStatusError(error, 'NotFound')) throw error;
    }
    return [`${given} is deleted`];
  }
  const names = verb === 'start' ? [given] : changed.filter(node => !nodes.includes(node)).map(nodeName);
  await until(`${names.join(', ')} is Ready`, async () => {
    const { items } = await client.resource<Node>(NODES).list();
    const running = await agents();
    return names.every(
      name =>
        // One that is new may share an agent; one that was there may look Ready from before.
        (verb === 'add' || running.has(agentName(name))) &&
        items.some(node => node.metadata.name === name && isNodeReady(node)),
    );
  });
  return names.map(name => `${name} is Ready`);
}
