import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HERE, literally, runSuite } from './suite.js';

/** Specs of sig-network that run together, against one shape of cluster. */
interface SpecSet {
  readonly focus: string;
  readonly skip: readonly string[];
  readonly up: readonly string[];
  readonly nodeLabels?: readonly string[];
}

const zones = ['a', 'a', 'b', 'b', 'c', 'c'].map(zone => `topology.kubernetes.io/zone=${zone}`);
const DUAL_STACK = '\\[Feature:IPv6DualStack\\]';
const POLICIES = '\\[sig-network\\] Netpol';
const TOPOLOGY = '\\[sig-network\\] (Traffic Distribution|Topology Hints)';
const SCTP = '\\[Feature:SCTPConnectivity\\]';
const LOAD_BALANCERS = '\\[Feature:LoadBalancer\\]';
const TWO_FAMILIES = ['--nodes', '3', '--service-cluster-ip-range', '10.96.0.0/16,fd00:10:96::/112'];

const SETS = new Map<string, SpecSet>([
  ['conformance', { focus: '\\[sig-network\\].*\\[Conformance\\]', skip: [], up: ['--nodes', '2'] }],
  [
    'services',
    {
      focus: '\\[sig-network\\]',
      skip: ['\\[Conformance\\]', DUAL_STACK, POLICIES, TOPOLOGY, SCTP, LOAD_BALANCERS],
      up: ['--nodes', '3'],
    },
  ],
  ['policies', { focus: POLICIES, skip: [SCTP], up: ['--nodes', '2'] }],
  ['dual-stack', { focus: DUAL_STACK, skip: [SCTP], up: TWO_FAMILIES }],
  // Pods, Services and policies; one of its specs asks for both families.
  ['sctp', { focus: SCTP, skip: [], up: TWO_FAMILIES }],
  // Two nodes in each of three zones is the least that its specs ask for.
  ['topology', { focus: TOPOLOGY, skip: [], up: ['--nodes', '6'], nodeLabels: zones }],
  ['load-balancers', { focus: LOAD_BALANCERS, skip: [], up: ['--nodes', '3', '--publish'] }],
]);

/** What the last run of a set found. */
interface Found {
  readonly specs: number;
  readonly passed: number;
  /** Name: the first line of why. */
  readonly failed: Readonly<Record<string, string>>;
}

/** The committed score: what upstream's sig-network specs say of each proxy mode. */
interface Score {
  readonly kubernetes: string;
  /** Specs that are left out of a run, by name or a part of it: what they need. */
  readonly needs: Readonly<Record<string, string>>;
  /** By set of specs and proxy mode. */
  readonly found: Readonly<Record<string, Readonly<Record<string, Found>>>>;
}

const SCORE = join(HERE, 'network.json');
const readScore = (): Score =>
  existsSync(SCORE)
    ? (JSON.parse(readFileSync(SCORE, 'utf8')) as Score)
    : { kubernetes: '1.35.4', needs: {}, found: {} };

interface NetworkOptions {
  readonly set: string;
  readonly proxyMode: string;
  /** Instead of the set's own. */
  readonly focus: string | undefined;
  /** Runs also what is known to need more than there is. */
  readonly all: boolean;
  readonly procs: string;
  readonly timeout: string;
  readonly write: boolean;
}

/** Runs a set of sig-network's specs in a proxy mode. @returns whether nothing failed that is not recorded. */
export async function network({ set, proxyMode, focus, all, procs, timeout, write }: NetworkOptions): Promise<boolean> {
  const specs = SETS.get(set);
  if (specs === undefined) throw new Error(`--network ${set}: want ${[...SETS.keys()].join(', ')}`);
  if (write && focus !== undefined) throw new Error('--write records a whole set: not with --focus');
  const { needs, found: before } = readScore();
  const { passed, failed, broken } = await runSuite({
    up: [...specs.up, '--proxy-mode', proxyMode],
    ...(specs.nodeLabels === undefined ? {} : { nodeLabels: specs.nodeLabels }),
    focus: focus ?? specs.focus,
    skip: [...specs.skip, ...(all ? [] : Object.keys(needs).map(literally))],
    procs,
    timeout,
  });
  const recorded = before[set]?.[proxyMode]?.failed ?? {};
  for (const { name, why } of broken) console.log(`BROKEN ${name}\n  ${why}`);
  for (const { name, why } of failed)
    console.log(`FAILED${recorded[name] === undefined ? '' : ' (as recorded)'} ${name}\n  ${why}`);
  for (const name of passed)
    if (recorded[name] !== undefined) console.log(`PASSED though recorded as failing: ${name}`);
  console.log(`${set}, ${proxyMode}: ${passed.length} passed, ${failed.length} failed`);
  // A set that fails as a whole is a finding too; a run that did not get as far as its specs is none.
  const specsRan = passed.length + failed.length > 0;
  if (write && specsRan) {
    const found: Found = {
      specs: passed.length + failed.length,
      passed: passed.length,
      failed: Object.fromEntries(failed.map(({ name, why }) => [name, recorded[name] ?? why])),
    };
    // Read again: sets may run side by side, each with a cluster of its own.
    const score = readScore();
    const written: Score = { ...score, found: { ...score.found, [set]: { ...score.found[set], [proxyMode]: found } } };
    writeFileSync(SCORE, `${JSON.stringify(written, null, 2)}\n`);
  }
  return specsRan && broken.length === 0 && failed.every(({ name }) => recorded[name] !== undefined);
}
