import t, { type Test } from 'tap';
import type { Kernel } from '../../src/dataplane/kernel/types.js';
import { joinHostPort } from '../../src/machinery/ip.js';
import { seededRandom } from '../../src/machinery/random.js';
import { differingOriginals } from '../replay/originals.js';
import { createNode } from '../replay/proxy/node.js';
import { connectAs } from '../replay/proxy/probe.js';
import { NOT_RECORDED, RECORDED_MODES, type RecordedMode } from '../replay/proxy/recorded-modes.js';
import type { Case, Probe, Step } from '../replay/proxy/types.js';
import { ownRecordings, parseRecording } from '../replay/recordings.js';
import { checkScore } from '../support/score.js';

/*
 * What packets did on a node with the real kube-proxy, in a real kernel, against what they do in ours: every recorded mode
 * and both families. Connections enough that no endpoint is missed by chance.
 */
const CONNECTIONS_PER_ENDPOINT = 20;

/** The servers that stood at every endpoint of a case, whatever the endpoint's conditions. */
const endpointsOf = ({ endpointSlices }: Case): ReadonlySet<string> =>
  new Set(
    endpointSlices.flatMap(({ endpoints = [], ports }) =>
      (endpoints ?? []).flatMap(({ addresses }) =>
        (ports ?? []).map(({ port }) => joinHostPort(addresses[0] ?? '', port ?? 0)),
      ),
    ),
  );

interface Count {
  passed: number;
  of: number;
}

function replay(t: Test, text: string, counts?: Readonly<Record<RecordedMode, Count>>): void {
  const { head, steps } = parseRecording<Case, Step>(text);
  const endpoints = endpointsOf(head);
  for (const mode of RECORDED_MODES) {
    const probes = head.packets[mode] ?? [];
    if (probes.length === 0) continue;
    t.test(`${head.name}, ${mode}: ${head.about}`, t => {
      const dice = createDice();
      for (const family of ['IPv4', 'IPv6'] as const) {
        const node = createNode(head, mode, family, dice.next);
        const [first] = steps;
        if (first !== undefined) node.change(first);
        for (const probe of probes.filter(({ to }) => to.includes(':') === (family === 'IPv6'))) {
          loadDice(dice, node.kernel, probe, endpoints);
          const seen = observe(node.kernel, probe, endpoints);
          const right = t.same(
            seen,
            expected(probe),
            `${probe.from} to ${probe.protocol} ${joinHostPort(probe.to, probe.port)}`,
          );
          const count = counts?.[mode];
          if (count === undefined) continue;
          count.of++;
          if (right) count.passed++;
        }
      }
      t.end();
    });
  }
}

interface Dice {
  readonly next: () => number;
  /** What they all show; undefined: chance. */
  loaded: number | undefined;
}

function createDice(): Dice {
  const random = seededRandom(1);
  const dice: Dice = { loaded: undefined, next: () => dice.loaded ?? random.number() };
  return dice;
}

/** Where a client stays with the endpoint that chance gave it, ours gives it the same one, if it can. */
function loadDice(dice: Dice, kernel: Kernel, { sequence, ...probe }: Probe, endpoints: ReadonlySet<string>): void {
  dice.loaded = undefined;
  if (sequence === undefined) return;
  const faces = Array.from({ length: 20 }, (_, i) => (i + 0.5) / 20);
  dice.loaded = faces.find(face => {
    dice.loaded = face;
    return connectAs(kernel, probe, 50_000, endpoints, true).reached === sequence[0];
  });
}

interface Observation {
  readonly verdict: string;
  readonly reaches: readonly string[];
  readonly seenFrom: Readonly<Record<string, readonly string[]>>;
}

const expected = ({ verdict, reaches = [], seenFrom = {} }: Probe): Observation => ({
  verdict,
  reaches: [...reaches].sort(),
  seenFrom,
});

function observe(kernel: Kernel, probe: Probe, endpoints: ReadonlySet<string>): Observation {
  const verdicts = new Set<string>();
  const seenFrom = new Map<string, Set<string>>();
  const connections = CONNECTIONS_PER_ENDPOINT * Math.max(1, probe.reaches?.length ?? 1);
  for (let i = 0; i < connections; i++) {
    const { verdict, reached, seenFrom: from } = connectAs(kernel, probe, 40_000 + i, endpoints);
    verdicts.add(verdict);
    if (reached === undefined || from === undefined) continue;
    const sources = seenFrom.get(reached) ?? new Set<string>();
    seenFrom.set(reached, sources.add(from));
  }
  return {
    verdict: verdicts.size === 1 ? ([...verdicts][0] ?? '') : 'mixed',
    reaches: [...seenFrom.keys()].sort(),
    seenFrom: Object.fromEntries([...seenFrom].map(([end, sources]) => [end, [...sources].sort()])),
  };
}

for (const [mode, skip] of Object.entries(NOT_RECORDED)) t.test(mode, { skip }, t => t.end());

const own = ownRecordings('proxy');
const counts = Object.fromEntries(RECORDED_MODES.map(mode => [mode, { passed: 0, of: 0 }])) as Record<
  RecordedMode,
  Count
>;
for (const text of own.values()) replay(t, text, counts);
t.test('score', async t => checkScore(t, 'packets', { ...counts }));

const others = differingOriginals('proxy', own);
t.test(
  'the originals beside the repository, where they differ',
  { skip: others === undefined ? 'no original recordings beside the repository' : false },
  t => {
    for (const text of others?.values() ?? []) replay(t, text);
    t.end();
  },
);
