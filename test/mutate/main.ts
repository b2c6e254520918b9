import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom } from '../../src/machinery/random.js';
import { ROOT } from '../support/root.js';
import { coverageOf } from './coverage.js';
import { startJudge } from './judge.js';
import type { Mutant } from './instrument.js';
import { grouped } from './group.js';
import { prepare } from './prepare.js';
import { judgeAll, type Judged } from './run.js';
import { checkMutantScore, identityOf, reasonOf } from './score.js';

/*
 * Breaks the data plane at one place after the other and sees that some test fails: all places, or MUTANTS=n by chance
 * (SEED=n), or EACH=n of every function; ONLY=part names files; SURVIVORS=1 asks again about those that survived last, and those that are new.
 */
const setting = (name: string): number | undefined =>
  process.env[name] === undefined ? undefined : Number(process.env[name]);
const ONLY = process.env['ONLY'] ?? '';
const WORKERS = setting('WORKERS') ?? 2;
const folder = join(ROOT, 'build/mutate');

const UNIT = readdirSync(join(ROOT, 'build/test/unit/dataplane'))
  .filter(name => name.endsWith('.test.js') && existsSync(join(ROOT, 'test/unit/dataplane', name.replace(/js$/, 'ts'))))
  .map(name => `unit/dataplane/${name.slice(0, -'.test.js'.length)}`)
  .sort();
/** These take a second or more, or compare two ways that the same mistake makes go alike. */
const SLOW = ['proxy-incremental', 'policies-incremental', 'rule-index'].map(name => `unit/dataplane/${name}`);
const SOME = ['unit/dataplane/proxy-userspace', 'conformance/proxy-recordings'];
const suites = ['packets', 'observed-packets', 'rule-texts', 'ipvs-clusters'].map(name => `conformance/${name}`);
/** What the first lets live the next is asked about, which takes longer. */
const STAGES: readonly (readonly string[])[] = [
  UNIT.filter(name => !SLOW.includes(name) && !SOME.includes(name)),
  SOME,
  [...SLOW, ...suites],
];

const EACH = setting('EACH');
const SEED = setting('SEED') ?? 1;
/** Which of the stages, as `2-3` or `2`. */
const [FROM = 1, UNTIL = FROM] = (process.env['STAGES'] ?? `1-${STAGES.length}`).split('-').map(Number);

interface LastRun {
  readonly survivors: readonly string[];
  /** Of these no test has to be asked again. Those that are in neither list are new. */
  readonly killed: readonly string[];
}

const SURVIVORS = join(ROOT, `build/mutate-survivors${EACH === undefined ? '' : `-${EACH}-${SEED}`}.json`);
const lastRun: LastRun | undefined =
  process.env['SURVIVORS'] === undefined ? undefined : (JSON.parse(readFileSync(SURVIVORS, 'utf8')) as LastRun);
const wereKilled = new Set(lastRun?.killed);

function pick(from: readonly Mutant[], count: number): Mutant[] {
  const random = seededRandom(SEED);
  const left = [...from];
  const picked = Array.from({ length: Math.min(count, left.length) }, () => left.splice(random.below(left.length), 1));
  return picked.flat().sort((a, b) => a.id - b.id);
}

/** Of the whole data plane; which these are does not depend on other files. */
function chosen(all: readonly Mutant[]): Mutant[] {
  if (EACH === undefined) return [...all];
  const functions = grouped(all, ({ path, within }) => `${path} ${within}`);
  return [...functions.values()].flatMap(mutants => pick(mutants, EACH));
}

/** Of those, the ones that this run is about. */
function narrowed(all: readonly Mutant[]): Mutant[] {
  const named = all.filter(({ path }) => path.includes(ONLY));
  if (lastRun !== undefined) return named.filter(mutant => !wereKilled.has(identityOf(mutant)));
  const count = setting('MUTANTS');
  return count === undefined ? named : pick(named, count);
}

const mutants = await prepare(ROOT, folder, STAGES.flat());
const eligible = chosen(mutants);
const wanted = narrowed(eligible);
process.stdout.write(`${wanted.length} of ${mutants.length} mutants\n`);

function tell({ mutant, killer }: Judged): void {
  const where = `${mutant.path}:${mutant.line} ${mutant.within}, ${mutant.name}`;
  if (killer !== undefined) process.stdout.write(`${killer} sees ${where}\n`);
}

const sourceOf = (file: string): string => readFileSync(join(ROOT, 'build/test', `${file}.test.js`), 'utf8');
/** Of a run about some of the last one's survivors, the others stay what they were, while there are such mutants. */
function keepSurvivors(left: readonly Mutant[]): void {
  const asked = new Set(wanted.map(identityOf));
  const known = new Set(eligible.map(identityOf));
  const others = (lastRun?.survivors ?? []).filter(identity => !asked.has(identity) && known.has(identity));
  const survivors = new Set([...others, ...left.map(identityOf)]);
  const killed = [...asked, ...wereKilled].filter(identity => !survivors.has(identity) && known.has(identity));
  const kept: LastRun = { survivors: [...survivors], killed: [...new Set(killed)] };
  if (setting('MUTANTS') === undefined) writeFileSync(SURVIVORS, JSON.stringify(kept, undefined, 1));
}

const judged: Judged[] = [];
let left = wanted;
for (const [stage, files] of STAGES.entries()) {
  if (stage < FROM - 1 || stage >= UNTIL) continue;
  const isLast = stage === UNTIL - 1;
  // What is as good as before would be asked about to the last and longest test.
  const asked = stage === STAGES.length - 1 ? left.filter(mutant => reasonOf(mutant) === undefined) : left;
  const spared = left.filter(mutant => !asked.includes(mutant));
  if (isLast) judged.push(...spared.map(mutant => ({ mutant, killer: undefined })));
  if (asked.length === 0) continue;
  const first = await startJudge(folder, files);
  if (first === undefined) throw new Error('a test file fails before anything is broken');
  const coverage = await coverageOf(first, mutants, sourceOf, join(ROOT, 'build/mutate-coverage.ndjson'));
  for (const test of coverage.unfit) process.stdout.write(`not asked, for it does not pass alone: ${test}\n`);
  const found = await judgeAll({
    folder,
    files,
    mutants,
    wanted: asked,
    coverage,
    loaded: first.loaded,
    tell,
    workers: WORKERS,
    first,
  });
  judged.push(...found.filter(({ killer }) => isLast || killer !== undefined));
  left = [...spared, ...found.flatMap(({ mutant, killer }) => (killer === undefined ? [mutant] : []))];
  keepSurvivors(left);
}
for (const mutant of left.sort((a, b) => a.id - b.id)) {
  const where = `${mutant.path}:${mutant.line} ${mutant.within}, ${mutant.name}`;
  const reason = reasonOf(mutant);
  process.stdout.write(
    reason === undefined ? `SURVIVES ${where}: ${mutant.text}\n` : `as good as before: ${where} (${reason})\n`,
  );
}
for (const mutant of eligible)
  if (wereKilled.has(identityOf(mutant))) judged.push({ mutant, killer: 'a test of an earlier run' });
/** How the mutants were chosen, and which tests were asked, where that is not all. */
const how = [
  ...(EACH === undefined ? [] : [`${EACH} of each function, seed ${SEED}`]),
  ...(UNTIL === STAGES.length ? [] : [`stages 1-${UNTIL}`]),
].map(text => `, ${text}`);
const isAsBefore =
  // Without the first tests nobody knows who survives.
  (FROM > 1 && lastRun === undefined) ||
  checkMutantScore(eligible, judged, how.join(''), text => void process.stdout.write(text));
process.exitCode = isAsBefore && left.every(mutant => reasonOf(mutant) !== undefined) ? 0 : 1;
