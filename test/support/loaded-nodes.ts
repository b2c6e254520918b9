import { createKernel } from '../../src/dataplane/kernel/kernel.js';
import type { Program } from '../../src/dataplane/kernel/program.js';
import type { Kernel } from '../../src/dataplane/kernel/types.js';
import { createProxier } from '../../src/dataplane/proxiers/index.js';
import type { ProxyMode } from '../../src/dataplane/proxiers/modes.js';
import { FakeClock } from '../../src/machinery/clock.js';
import type { Family } from '../../src/machinery/ip.js';
import { seededRandom } from '../../src/machinery/random.js';
import { type RandomCluster, randomCluster } from '../conformance/clusters/generate.js';
import { inFamily } from '../conformance/packets.js';
import { exampleConfig, examples } from '../fixtures/iptables/inputs.js';
import { ipvsExamples } from '../fixtures/ipvs/inputs.js';
import { createNode } from '../replay/proxy/node.js';
import type { Case, Step } from '../replay/proxy/types.js';
import { ownRecordings, parseRecording } from '../replay/recordings.js';
import { hostRoutes } from './host-routes.js';

/** A kernel that a proxy has filled, and what it was told last. */
export interface LoadedNode {
  readonly name: string;
  readonly kernel: Kernel;
  readonly program: Program;
}

export const emptyKernel = (family: Family, seed = 0): Kernel =>
  createKernel({
    clock: new FakeClock(),
    random: seededRandom(seed).number,
    routes: hostRoutes(family === 'IPv4' ? '192.168.50.11' : 'fd00:50::11'),
  });

type Inputs = Pick<RandomCluster, 'config' | 'services' | 'slices'>;

function loaded(name: string, { config, services, slices }: Inputs, mode: ProxyMode): LoadedNode[] {
  const clock = new FakeClock();
  const proxy = createProxier({ ...config, mode, clock });
  for (const one of services) proxy.onServiceUpdate(one);
  for (const one of slices) proxy.onSliceUpdate(one);
  const { program } = proxy.sync();
  if (program === undefined) return [];
  const kernel = emptyKernel(config.family, 1);
  kernel.load(program);
  return [{ name, kernel, program }];
}

/** What a proxy of the mode loads for the worked examples, for random clusters, and at each step of the recordings. */
export function* loadedNodes(mode: ProxyMode, family: Family, clusters: number): Generator<LoadedNode> {
  for (const example of [...examples, ...ipvsExamples]) {
    const { name, services, slices } = example;
    const config = exampleConfig(example);
    if (config.family !== family && family === 'IPv4') continue;
    yield* loaded(`example ${name}`, inFamily({ config, services, slices }, family), mode);
  }
  for (let seed = 1; seed <= clusters; seed++) yield* loaded(`cluster ${seed}`, randomCluster(seed, family), mode);
  for (const text of ownRecordings('proxy').values()) {
    const { head, steps } = parseRecording<Case, Step>(text);
    const node = createNode(head, mode, family, seededRandom(1).number);
    for (const [i, step] of steps.entries()) {
      const programs: Program[] = [];
      node.change(step, program => programs.push(program));
      for (const program of programs)
        yield { name: `recording ${head.name}, step ${i + 1}`, kernel: node.kernel, program };
    }
  }
}
