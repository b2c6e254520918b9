import type { Transport } from '../../../src/client/transport.js';
import { seededRandom } from '../../../src/machinery/random.js';
import { eventually } from '../../support/up.js';
import { allOf } from '../history/observation.js';
import type { Gate } from './gate.js';
import { startInformed } from './informed.js';
import type { Recorder } from './recorder.js';
import { startWatcher } from './watcher.js';

export interface FollowersOptions {
  /** A connection of its own for each. */
  readonly transport: () => Transport;
  readonly recorder: Recorder;
  readonly gate: Gate;
  readonly seed: number;
  readonly signal: AbortSignal;
}

/** Those who follow what happens over all lives of a server. */
export interface Followers {
  /** Resolves when all who select a team know of a revision. */
  know(team: string, revision: number): Promise<void>;
  /** Records what informers have. */
  hold(): void;
  /** Resolves when they have ended, after the signal. */
  readonly ended: Promise<unknown>;
}

const CONVERGENCE_MS = 120_000;
/** How long the slow one is busy with what it was told, at most. */
const DAWDLE_MS = 40;

const WATCHERS = [
  { name: 'watcher', team: '', dawdleMs: 0 },
  { name: 'slow watcher', team: '', dawdleMs: DAWDLE_MS },
  { name: 'watcher of red', team: 'red', dawdleMs: 0 },
];
const INFORMERS = [
  { name: 'informer', team: '' },
  { name: 'second informer', team: '' },
  { name: 'informer of blue', team: 'blue' },
];

/** Resolves when each has listed: who follows from the beginning can be asked what happened. */
export async function startFollowers({
  transport,
  recorder,
  gate,
  seed,
  signal,
}: FollowersOptions): Promise<Followers> {
  const common = { recorder, gate, signal };
  const watchers = WATCHERS.map(one =>
    startWatcher({ ...one, ...common, transport: transport(), random: seededRandom(seed) }),
  );
  const informers = INFORMERS.map(one => startInformed({ ...one, ...common, transport: transport() }));
  const teams = new Map([...WATCHERS, ...INFORMERS].map(({ name, team }) => [name, team]));
  await eventually(
    'all to follow',
    async () => new Set(allOf(recorder.history, 'listed').map(({ by }) => by)).size,
    lists => lists === teams.size,
  );
  return {
    async know(team, revision) {
      const concerned = [...watchers, ...informers].filter(({ name }) => ['', team].includes(teams.get(name) ?? ''));
      await eventually(
        `all to know revision ${revision}`,
        async () => concerned.map(one => [one.name, one.reached()] as const),
        reached => reached.every(([, at]) => at >= revision),
        CONVERGENCE_MS,
      );
    },
    hold() {
      for (const informer of informers) informer.hold();
    },
    ended: Promise.all(watchers.map(({ ended }) => ended)),
  };
}
