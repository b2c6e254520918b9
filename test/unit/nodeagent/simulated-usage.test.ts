import t from 'tap';
import { FakeClock } from '../../../src/machinery/clock.js';
import { createUsage } from '../../../src/nodeagent/pods/simulated-usage.js';
import type { Behaviour } from '../../../src/containers/behaviour/settings.js';

const MI = 1024 * 1024;
const REQUESTS = { requests: { cpu: '100m', memory: '64Mi' } };

interface Case {
  readonly name: string;
  readonly told?: Behaviour;
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
    told: { cpu: { amount: 250 }, memory: { amount: 10 * MI } },
    resources: REQUESTS,
    cpu: [250, 250],
    memory: [10, 10],
  },
  {
    name: 'a part of the request',
    told: { cpu: { ofRequest: 0.8 } },
    resources: REQUESTS,
    cpu: [80, 80],
    memory: [60, 68],
  },
  { name: 'a part of no request', told: { cpu: { ofRequest: 0.8 } }, cpu: [0, 0], memory: [0, 0] },
  {
    name: 'not more than the limit',
    told: { cpu: { amount: 5000 }, memory: { amount: 1024 * MI } },
    resources: { limits: { cpu: '1', memory: '128Mi' } },
    cpu: [1000, 1000],
    memory: [128, 128],
  },
  { name: 'more than any machine has', told: { cpu: { amount: 1e15 } }, cpu: [1e9, 1e9], memory: [0, 0] },
];

t.test('what a container uses', async t => {
  for (const { name, told = {}, resources = {}, cpu, memory } of CASES) {
    const clock = new FakeClock();
    const usage = createUsage({
      told: () => told,
      uid: 'u-1',
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
  let milli = 1000;
  const usage = createUsage({
    told: () => ({ cpu: { amount: milli } }),
    uid: 'u-1',
    container: 'a',
    resources: () => ({}),
    spent: () => ({ cpuSeconds: 0.5, memoryBytes: 0 }),
    clock,
  });
  clock.step(10_000);
  t.equal(usage().cpuSeconds, 10.5);
  milli = 0;
  clock.step(10_000);
  t.equal(usage().cpuSeconds, 10.5, 'a counter never goes back');
});
