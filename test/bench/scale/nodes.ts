import { DEPLOYMENTS } from '../../../src/client/resources.js';
import { realClock } from '../../../src/machinery/clock.js';
import type { Deployment } from '../../../src/machinery/types.js';
import { scaled } from '../api/scale.js';
import { inParallel } from '../timed.js';
import { ms, type Row } from '../table.js';
import { deployment } from './objects.js';
import { cpuText, measured, readyPods, startBenchCluster, totalCpu } from './cluster.js';

const NODES = scaled(1_000);
const PODS = scaled(10_000);
const DEPLOYED = 20;
const SETTLE_MS = 15_000;
const STEADY_MS = 30_000;

/** Many nodes in one process and many Pods on them: until all are Ready, what they take then, what they do when nothing happens. */
export async function manyNodes(): Promise<Row[]> {
  const begun = performance.now();
  const cluster = await startBenchCluster(['--nodes', String(NODES), '--nodes-per-agent', String(NODES)]);
  const took = performance.now() - begun;
  try {
    const started = await cluster.cpu();
    const writer = cluster.client.resource<Deployment>(DEPLOYMENTS);
    const ready = readyPods(cluster, 'bench', PODS);
    const rows = await measured(cluster, `${PODS} Pods of ${DEPLOYED} Deployments on them Ready`, async () => {
      await inParallel(DEPLOYED, 4, i =>
        writer.create('default', deployment(`bench-${i}`, Math.ceil(PODS / DEPLOYED), {}, 'bench')),
      );
      await ready;
    });
    await realClock.sleep(SETTLE_MS);
    const before = await cluster.cpu();
    await realClock.sleep(STEADY_MS);
    const after = await cluster.cpu();
    const memory = await cluster.memory();
    const total = [...memory.values()].reduce((sum, mb) => sum + mb, 0);
    return [
      { what: `up --nodes ${NODES}: all Ready`, value: ms(took), goal: cpuText(new Map(), started) },
      ...rows,
      {
        what: '  memory of all processes (RSS)',
        value: `${total.toFixed(0)} MB`,
        goal: `goal: under 1,200 MB; ${[...memory].map(([name, mb]) => `${name} ${mb.toFixed(0)}`).join(', ')}`,
      },
      {
        what: '  processors when nothing happens',
        value: `${(totalCpu(before, after) / STEADY_MS).toFixed(2)}`,
        goal: `goal: under 1; in ${STEADY_MS / 1000} s: ${cpuText(before, after)}`,
      },
    ];
  } finally {
    await cluster.stop();
  }
}
