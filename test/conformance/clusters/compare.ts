import { realClock } from '../../../src/machinery/clock.js';
import type { Machines } from './namespaces.js';
import { outcomeText, type SimulatedNode } from './predict.js';
import { type Probe, probeText } from './probes.js';

/** Silence is told from slowness by more patience where an answer is expected. */
const TIMEOUT_MS = 250;
const PATIENCE_MS = 5_000;
/** Less than after which a SYN is sent again. */
const RETRANSMIT_MS = 900;
/** Connections at a time. */
const WAVE = 20;
/** So many connections per endpoint miss one of six with a probability of less than one in a million. */
const MOST_PER_ENDPOINT = 100;

export interface Comparison {
  readonly differences: readonly string[];
  readonly connections: number;
  /** Every connection was one packet of the kind that opens it: counters can be compared. */
  readonly countable: boolean;
}

/** How often a connection with several possible outcomes came to each of them, of many; undefined: it has one. */
export async function distribution(
  machines: Machines,
  simulated: SimulatedNode,
  probe: Probe,
  count: number,
): Promise<ReadonlyMap<string, number> | undefined> {
  const possible = [...simulated.possible(probe).keys()];
  if (probe.sticky || possible.length === 1) return undefined;
  const times = new Map(possible.map(text => [text, 0]));
  for (let sent = 0; sent < count; sent += WAVE) {
    const wave = Array.from({ length: WAVE }, () => connectOnce(machines, probe, PATIENCE_MS));
    for (const text of await Promise.all(wave)) times.set(text, (times.get(text) ?? 0) + 1);
  }
  return times;
}

async function connectOnce(machines: Machines, probe: Probe, timeoutMs: number): Promise<string> {
  const { from, source, protocol, to, port } = probe;
  if (protocol === 'sctp') throw new Error('there are no SCTP sockets');
  const command = { protocol, to, port, timeoutMs, ...(source === undefined ? {} : { source }) };
  const { verdict, at, seen, error = '' } = await machines.at(from).connect(command);
  if (verdict === 'error') return `error ${error}`;
  return outcomeText({
    verdict,
    ...(at === undefined ? {} : { reached: at }),
    ...(seen === undefined ? {} : { seenFrom: seen }),
  });
}

/** Opens the probes' connections in the kernel and in ours. */
export async function compareConnections(
  machines: Machines,
  simulated: SimulatedNode,
  probes: readonly Probe[],
): Promise<Comparison> {
  const differences: string[] = [];
  let connections = 0;
  let countable = true;
  /** One connection, whose outcome ours then has as well. */
  const one = async (probe: Probe, possible: ReadonlyMap<string, number>): Promise<string> => {
    const begun = realClock.monotonic();
    connections++;
    const seen = await connectOnce(machines, probe, possible.has('timeout') ? TIMEOUT_MS : PATIENCE_MS);
    if (realClock.monotonic() - begun > RETRANSMIT_MS) {
      countable = false;
    }
    const face = possible.get(seen);
    if (face === undefined)
      differences.push(`${probeText(probe)}: ${seen}; ours: ${[...possible.keys()].join(' or ')}`);
    else simulated.connect(probe, face);
    return seen;
  };

  const freely = async (probe: Probe): Promise<void> => {
    const possible = simulated.possible(probe);
    const missing = new Set(possible.keys());
    const most = possible.size === 1 ? 2 : MOST_PER_ENDPOINT * possible.size;
    for (let sent = 0; missing.size > 0 && sent < most;) {
      const wave = possible.size === 1 ? 2 : 3 * possible.size;
      sent += wave;
      const seen = await Promise.all(Array.from({ length: wave }, () => one(probe, possible)));
      for (const outcome of seen) missing.delete(outcome);
      if (differences.length > 0) break;
    }
    if (missing.size > 0 && differences.length === 0)
      differences.push(`${probeText(probe)}: never ${[...missing].join(', ')}`);
  };
  /** Each connection depends on those before: they are opened one by one. */
  const inTurn = async (list: readonly Probe[]): Promise<void> => {
    for (const probe of list) for (let i = 0; i < 3; i++) await one(probe, simulated.possible(probe));
  };

  const answers = (probe: Probe): boolean =>
    [...simulated.possible(probe).keys()].some(text => text.includes(' sees '));
  const sticky = new Set(probes.filter(probe => probe.sticky && answers(probe)));
  await Promise.all([...probes.filter(probe => !sticky.has(probe)).map(freely), inTurn([...sticky])]);
  return { differences, connections, countable };
}
