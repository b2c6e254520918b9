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
    const { cpuSeconds, memoryBytes } = usage(clock.now());
    const milli = cpuSeconds * 100;
    t.ok(milli >= cpu[0] - 1e-6 && milli <= cpu[1] + 1e-6, `${name}: ${milli}m`);
    t.ok(memoryBytes >= memory[0] * MI && memoryBytes <= memory[1] * MI, `${name}: ${memoryBytes / MI}Mi`);
  }
});

t.test('it goes on from where it was when it is told otherwise, and what is told is all', async t => {
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
  t.equal(usage(clock.now()).cpuSeconds, 10, 'what its programs really take is not added');
  milli = 0;
  clock.step(10_000);
  t.equal(usage(clock.now()).cpuSeconds, 10, 'a counter never goes back');
});

t.test('what nobody tells is what was requested, and what its programs really take', async t => {
  const clock = new FakeClock();
  let cpuSeconds = 0.25;
  const usage = createUsage({
    told: () => ({ memory: { amount: 8 * MI } }),
    uid: 'u-1',
    container: 'a',
    resources: () => ({}),
    spent: () => ({ cpuSeconds, memoryBytes: 5 * MI }),
    clock,
  });
  clock.step(10_000);
  t.same(usage(clock.now()), { cpuSeconds: 0.25, memoryBytes: 8 * MI });
  cpuSeconds = 0.75;
  t.equal(usage(clock.now()).cpuSeconds, 0.75);
});

t.test('a rate over the moments that are told is what it is told, however late it is asked', async t => {
  const clock = new FakeClock();
  const started = clock.now();
  const usage = createUsage({
    told: () => ({ cpu: { amount: 160 } }),
    uid: 'u-1',
    container: 'a',
    resources: () => ({}),
    spent: () => ({ cpuSeconds: 0, memoryBytes: 0 }),
    clock,
  });
  const until = started + 7_003;
  clock.step(7_120);
  const nanoCores = Math.round((usage(until).cpuSeconds / 7.003) * 1e9);
  t.equal(nanoCores, 160e6, 'a thousandth of a core more would be another Pod to an autoscaler');
});
