import { join } from 'node:path';
import { loadKubeConfig } from '../../../src/client/kubeconfig.js';
import { NAMESPACES } from '../../../src/client/resources.js';
import { createClient } from '../../../src/client/rest-client.js';
import { realClock } from '../../../src/machinery/clock.js';
import { seededRandom } from '../../../src/machinery/random.js';
import { eventually, startUp } from '../../support/up.js';
import { disturb } from './disturb.js';
import { scriptOf, type Wanted } from './script.js';
import { shapeDifferences, shapeOf } from './shape.js';
import { takeStep } from './take-step.js';

export interface ChurnOptions {
  readonly seed: number;
  /** How long processes are killed and stopped. */
  readonly milliseconds: number;
  /** Steps a second. */
  readonly pace: number;
  readonly dataDir: string;
}

export interface ChurnReport {
  readonly problems: readonly string[];
  readonly figures: Readonly<Record<string, number>>;
}

const [START_MS, SETTLING_MS] = [180_000, 180_000];

/** What a shape lacks of what was wanted: to know that an undisturbed run has come to its end, and to the right one. */
function unsettled(shape: readonly string[], wanted: ReadonlyMap<string, Readonly<Wanted>>): string[] {
  const count = (start: string): number => shape.filter(line => line.startsWith(start)).length;
  return [...wanted].flatMap(([app, { replicas = 0, version, service }]) => {
    const checks: readonly (readonly [string, number, number])[] = [
      ['pods', count(`pod of ${app} `), replicas],
      ['ready pods', count(`pod of ${app} nginx:${version}: Running, ready: True`), replicas],
      ['services', count(`service ${app} `), service === undefined ? 0 : 1],
      ['endpoints', count(`endpoint of ${app} `), service === undefined ? 0 : replicas],
    ];
    return checks.flatMap(([what, has, wants]) => (has === wants ? [] : [`${app}: ${has} ${what}, not ${wants}`]));
  });
}

/**
 * The same steps in two namespaces of one cluster, first in peace, then while controllers, agents and DNS are killed and
 * stopped: both must come to the same.
 */
export async function runChurn({ seed, milliseconds, pace, dataDir }: ChurnOptions): Promise<ChurnReport> {
  const { steps, wanted } = scriptOf(seededRandom(seed), Math.ceil((milliseconds / 1_000) * pace));
  const apps = [...wanted.keys()];
  const up = await startUp({ dataDir, args: ['--nodes', '2', '--no-ingress'], timeoutMs: START_MS });
  const client = createClient(await loadKubeConfig(join(dataDir, 'kubeconfig')), 'torture');
  try {
    await runSteps('calm', 0);
    const expected = await settled('calm');
    const storm = disturb(up, seededRandom(seed + 1));
    try {
      await runSteps('storm', 1_000 / pace);
    } finally {
      await storm.stop();
    }
    let differences: readonly string[] = [];
    await eventually(
      'a disturbed run to settle',
      async () => (differences = shapeDifferences(expected, await shapeOf(client, 'storm', apps).catch(() => []))),
      left => left.length === 0,
      SETTLING_MS,
    ).catch(() => undefined);
    const figures = { steps: steps.length, 'lines compared': expected.length, ...Object.fromEntries(storm.counts) };
    return { problems: differences, figures };
  } finally {
    client.close();
    await up.stop();
  }

  async function runSteps(namespace: string, pauseMs: number): Promise<void> {
    await client.resource(NAMESPACES).create('', { metadata: { name: namespace } });
    for (const step of steps) {
      await takeStep(client, namespace, step);
      await realClock.sleep(pauseMs);
    }
  }

  /** What is wanted, and the same twice: what nodes and DNS are told comes last. */
  async function settled(namespace: string): Promise<readonly string[]> {
    let last: readonly string[] = [];
    const { shape } = await eventually(
      'an undisturbed run to settle',
      async () => {
        const [before, shape] = [last, await shapeOf(client, namespace, apps)];
        last = shape;
        return { shape, changes: shapeDifferences(before, shape), lacks: unsettled(shape, wanted) };
      },
      ({ changes, lacks }) => changes.length === 0 && lacks.length === 0,
      SETTLING_MS,
    );
    return shape;
  }
}
