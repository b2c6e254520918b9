import t from 'tap';
import { FakeClock } from '../../../src/machinery/clock.js';
import {
  createUsage,
  CPU_USAGE_ANNOTATION as CPU,
  MEMORY_USAGE_ANNOTATION as MEMORY,
} from '../../../src/nodeagent/pods/simulated-usage.js';

const MI = 1024 * 1024;
const REQUESTS = { requests: { cpu: '100m', memory: '64Mi' } };

interface Case {
  readonly name: string;
  readonly annotations?: Record<string, string>;
  readonly resources?: { requests?: Record<string, string>; limits?: Record<string, string> };
  /** Milli-cores and Mi, from and to. */
  readonly cpu: readonly [number, number];
  readonly memory: readonly [number, number];
}

const CASES: readonly Case[] = [
  { name: 'what is requested, more or less', resources: REQUESTS, cpu: [95, 105], memory: [60, 68] },
  { name: 'nothing requested', cpu: [0, 0], memory: [0, 0] },
  {
    name: 'said',
    annotations: { [CPU]: '250m', [MEMORY]: '10Mi' },
    resources: REQUESTS,
    cpu: [250, 250],
    memory: [10, 10],
  },
  { name: 'said of each', annotations: { [CPU]: 'b=1,a=30m' }, resources: REQUESTS, cpu: [30, 30], memory: [60, 68] },
  { name: 'said of another', annotations: { [CPU]: 'b=1' }, resources: REQUESTS, cpu: [95, 105], memory: [60, 68] },
  {
    name: 'no amount',
    annotations: { [CPU]: 'much', [MEMORY]: '-1' },
    resources: REQUESTS,
    cpu: [95, 105],
    memory: [60, 68],
  },
  {
    name: 'not more than the limit',
    annotations: { [CPU]: '5', [MEMORY]: '1Gi' },
    resources: { limits: { cpu: '1', memory: '128Mi' } },
    cpu: [1000, 1000],
    memory: [128, 128],
  },
  { name: 'more than any machine has', annotations: { [CPU]: '999999999999E' }, cpu: [1e9, 1e9], memory: [0, 0] },
];

t.test('what a container uses', async t => {
  for (const { name, annotations = {}, resources = {}, cpu, memory } of CASES) {
    const clock = new FakeClock();
    const usage = createUsage({
      pod: () => ({ metadata: { uid: 'u-1', annotations } }),
      container: 'a',
      resources: () => resources,
      spent: () => ({ cpuSeconds: 0, memoryBytes: 0 }),
      clock,
    });
    clock.step(10_000);
    const { cpuSeconds, memoryBytes } = usage();
    const milli = cpuSeconds * 100;
    t.ok(milli >= cpu[0] - 1e-6 && milli <= cpu[1] + 1e-6, `${name}: ${milli}m`);
    t.ok(memoryBytes >= memory[0] * MI && memoryBytes <= memory[1] * MI, `${name}: ${memoryBytes / MI}Mi`);
  }
});

t.test('it goes on from where it was when it is told otherwise', async t => {
  const clock = new FakeClock();
  let said = '1';
  const usage = createUsage({
    pod: () => ({ metadata: { uid: 'u-1', annotations: { [CPU]: said } } }),
    container: 'a',
    resources: () => ({}),
    spent: () => ({ cpuSeconds: 0.5, memoryBytes: 0 }),
    clock,
  });
  clock.step(10_000);
  t.equal(usage().cpuSeconds, 10.5);
  said = '0';
  clock.step(10_000);
  t.equal(usage().cpuSeconds, 10.5, 'a counter never goes back');
});
