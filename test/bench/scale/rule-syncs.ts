import { StringDecoder } from 'node:string_decoder';
import type { RuleSync } from '../../../src/nodeagent/proxy/sync-feed.js';
import type { BenchCluster } from './cluster.js';

/** When nodes have loaded the rules that follow from a change. */
export interface RuleSyncs {
  /** A change was written: `object` is "Service default/a", `at` when it was asked for. */
  expect(object: string, resourceVersion: string, at: number): void;
  /** Milliseconds from each change that was expected until the last node had loaded it; resolves when all have. */
  all(): Promise<number[]>;
  close(): void;
}

const NODES = ['node-1', 'node-2', 'node-3'];

/** Listens to what each of the three nodes loads; a later version of an object is one that its rules follow, too. */
export async function ruleSyncs({ client }: BenchCluster): Promise<RuleSyncs> {
  const stop = new AbortController();
  /** By node and object: the newest version that rules were loaded of. */
  const loaded = new Map<string, bigint>();
  const expected: { readonly object: string; readonly version: bigint; readonly at: number; took?: number }[] = [];
  let wake: () => void = () => undefined;

  const look = (): void => {
    for (const change of expected)
      if (change.took === undefined)
        if (NODES.every(node => (loaded.get(`${node} ${change.object}`) ?? 0n) >= change.version))
          change.took = performance.now() - change.at;
    if (expected.every(({ took }) => took !== undefined)) wake();
  };
  const seen = (node: string, { causes, error }: RuleSync): void => {
    if (error !== undefined) return;
    for (const { kind, namespace = '', name, resourceVersion = '0' } of causes) {
      const key = `${node} ${kind} ${namespace}/${name}`;
      const version = BigInt(resourceVersion);
      if (version > (loaded.get(key) ?? 0n)) loaded.set(key, version);
    }
    look();
  };
  const follow = async (node: string): Promise<void> => {
    const path = `/api/v1/nodes/${node}/proxy/rules?watch=true`;
    const answer = await client.transport.open({ method: 'GET', path, signal: stop.signal, idleTimeoutMs: 0 });
    const decoder = new StringDecoder('utf8');
    let rest = '';
    answer.on('error', () => undefined);
    answer.on('data', (chunk: Buffer) => {
      const lines = (rest + decoder.write(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line !== '') seen(node, JSON.parse(line) as RuleSync);
    });
  };
  await Promise.all(NODES.map(follow));
  return {
    expect(object, resourceVersion, at) {
      expected.push({ object, version: BigInt(resourceVersion), at });
      look();
    },
    all: () =>
      new Promise(resolve => {
        wake = () => resolve(expected.map(({ took = NaN }) => took));
        look();
      }),
    close: () => stop.abort(new Error('enough')),
  };
}
