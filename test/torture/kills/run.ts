import { CONFIG_MAPS, NAMESPACES } from '../../../src/client/resources.js';
import { createClient } from '../../../src/client/rest-client.js';
import { createTransport, type Transport } from '../../../src/client/transport.js';
import { realClock } from '../../../src/machinery/clock.js';
import { seededRandom } from '../../../src/machinery/random.js';
import { problemsOf } from '../history/check.js';
import { figuresOf } from './figures.js';
import { startFollowers, type Followers } from './followers.js';
import { createGate } from './gate.js';
import { NAMESPACE, objectOf, TEAMS } from './objects.js';
import { createRecorder } from './recorder.js';
import { createVictim } from './server.js';
import { recordedList } from './watcher.js';
import { runWriter } from './writer.js';

export interface KillsOptions {
  readonly seed: number;
  readonly rounds: number;
  readonly writers: number;
  readonly dataDir: string;
  /** Told after each round. */
  readonly onRound?: (round: number, observations: number) => void;
}

export interface KillsReport {
  readonly problems: readonly string[];
  readonly figures: Readonly<Record<string, number>>;
}

const OWN_KEYS = 4;
const SHARED_KEYS = 12;
/** One start in so many is killed, too. */
const STARTS_KILLED = 6;
/** One server in so many is stopped for a while before, so that clients wait for answers that come, and some that do not. */
const STOPPED = 5;
/** A server lives for so many answered writes at most, however long a busy machine takes for them. */
const MOST_ANSWERS = 500;
const LONGEST_LIFE_MS = 10_000;
const [MOMENT_MS, START_MS, STOPPED_MS] = [15, 450, 800];

/** Kills an API server under writers, again and again, and says what nobody may ever see. */
export async function runKills({ seed, rounds, writers, dataDir, onRound }: KillsOptions): Promise<KillsReport> {
  const random = seededRandom(seed);
  const [recorder, gate] = [createRecorder(), createGate()];
  const [writing, following] = [new AbortController(), new AbortController()];
  const victim = await createVictim(dataDir);
  await victim.start();
  const config = await victim.config();
  const client = createClient(config, 'torture');
  const transports = [client.transport];
  const transport = (): Transport => {
    const made = createTransport(config, 'torture');
    transports.push(made);
    return made;
  };
  const lister = { name: 'lister', transport: transport(), recorder };
  await client.resource(NAMESPACES).create('', { metadata: { name: NAMESPACE } });
  let followers: Followers | undefined;
  try {
    recorder.add({ what: 'started' });
    gate.open();
    followers = await startFollowers({ transport, recorder, gate, seed, signal: following.signal });
    const working = Array.from({ length: writers }, (_, w) =>
      runWriter({ client, recorder, gate, random: seededRandom(seed + w), keys: keysOf(w), signal: writing.signal }),
    );
    for (let round = 1; round <= rounds; round++) {
      await live();
      onRound?.(round, recorder.history.length);
    }
    writing.abort();
    await Promise.all(working);
    await converge(followers);
  } finally {
    gate.end();
    following.abort(new Error('enough'));
    await followers?.ended;
    await victim.kill();
    for (const one of transports) one.close();
  }
  return { problems: problemsOf(recorder.history), figures: figuresOf(recorder.history) };

  /** The life of one server, its end, and the start of the next. */
  async function live(): Promise<void> {
    const answers = random.below(MOST_ANSWERS / 2);
    await answered(answers);
    const lists = ['', TEAMS[random.below(TEAMS.length)] ?? ''].map(team =>
      // Some end with the server.
      recordedList({ ...lister, team }).catch(() => undefined),
    );
    await answered(answers);
    if (random.below(STOPPED) === 0) {
      victim.signal('SIGSTOP');
      await realClock.sleep(random.below(STOPPED_MS));
      victim.signal('SIGCONT');
    }
    await realClock.sleep(random.below(MOMENT_MS));
    gate.close();
    await victim.kill();
    await Promise.all(lists);
    while (random.below(STARTS_KILLED) === 0) {
      victim.begin();
      await realClock.sleep(random.below(START_MS));
      await victim.kill();
    }
    await victim.start();
    recorder.add({ what: 'started' });
    gate.open();
  }

  /** So many more writes. */
  function answered(count: number): Promise<void> {
    const limit = realClock.sleep(LONGEST_LIFE_MS, undefined, { unref: true });
    return Promise.race([recorder.answered(recorder.answers + count), limit]);
  }

  /** A last change of each team, so that all are told something: when they know it, they know what was before. */
  async function converge(all: Followers): Promise<void> {
    for (const team of TEAMS) {
      const id = recorder.next();
      const [key, token] = [`last-${team}`, `w${id}`];
      recorder.add({ what: 'sent', write: { id, operation: 'create', key, token } });
      const { metadata } = await client.resource(CONFIG_MAPS).create(NAMESPACE, objectOf(key, token, team));
      await all.know(team, Number(metadata.resourceVersion));
    }
    await recordedList({ ...lister, team: '' });
    all.hold();
  }
}

/** What a writer writes: mostly objects of its own, some that others write, too. */
function keysOf(writer: number): string[] {
  const own = Array.from({ length: OWN_KEYS }, (_, i) => `of-${writer}-${i}`);
  const shared = Array.from({ length: OWN_KEYS }, (_, i) => `shared-${(writer + i) % SHARED_KEYS}`);
  return [...own, ...own, ...shared];
}
