import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { seededRandom } from '../../src/machinery/random.js';
import { reasonOf } from './equivalent.js';
import { MUTATIONS } from './mutations.js';

/*
 * Breaks single lines of the compiled data plane, in a copy, and sees that some test fails. What survives is either as good
 * as before, or something that no test looks at. MUTANTS=n tries so many (60), SEED=n chooses others, ONLY=part names files.
 */
const REPOSITORY = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
const MUTANTS = Number(process.env['MUTANTS'] ?? 60);
const SEED = Number(process.env['SEED'] ?? 1);
const ONLY = process.env['ONLY'] ?? '';
/** What takes longer does not end: also on a machine that has much else to do. */
const TIMEOUT_MS = 600_000;
/** Those that find the most come first. */
const FIRST = [
  'unit/dataplane/dataplane',
  'conformance/packets',
  'unit/dataplane/ipvs',
  'unit/dataplane/proxy-ipvs',
  'unit/dataplane/route-table',
  'conformance/proxy-recordings',
  'conformance/observed-packets',
];
const LAST = ['unit/dataplane/proxy-incremental', 'conformance/rule-texts', 'conformance/ipvs-clusters'];
const named = [...FIRST, ...LAST];
/** All others of the data plane between them. */
const TESTS = [
  ...FIRST,
  ...readdirSync(join(REPOSITORY, 'build/test/unit/dataplane'))
    .filter(name => name.endsWith('.test.js'))
    .map(name => `unit/dataplane/${name.slice(0, -'.test.js'.length)}`)
    .filter(name => !named.includes(name))
    .sort(),
  ...LAST,
];

interface Mutant {
  readonly file: string;
  readonly line: number;
  readonly name: string;
  readonly before: string;
  readonly after: string;
}

const folder = mkdtempSync(join(tmpdir(), 'kubette-mutate-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
process.on('SIGINT', () => process.exit(130));
for (const part of ['src', 'test'])
  cpSync(join(REPOSITORY, 'build', part), join(folder, 'build', part), { recursive: true });
for (const part of ['node_modules', 'package.json', 'src', 'api-schemas', 'docs'])
  symlinkSync(join(REPOSITORY, part), join(folder, part));
mkdirSync(join(folder, 'test'));
// Tests write scores that have changed: those of a mutant are no scores.
cpSync(join(REPOSITORY, 'test/scores'), join(folder, 'test/scores'), { recursive: true });
for (const part of readdirSync(join(REPOSITORY, 'test')).filter(name => name !== 'scores'))
  symlinkSync(join(REPOSITORY, 'test', part), join(folder, 'test', part));

function mutantsOf(file: string): Mutant[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((before, line) =>
      MUTATIONS.flatMap(({ name, apply }) => {
        const after = /^\s*(?:\*|\/|import |case )/.test(before) ? undefined : apply(before);
        return after === undefined ? [] : [{ file, line, name, before, after }];
      }),
    );
}

/** The first test that fails, or that ends in no time. */
function killedBy(): string | undefined {
  return TESTS.find(
    test =>
      spawnSync(process.execPath, [join(folder, 'build/test', `${test}.test.js`)], {
        stdio: 'ignore',
        timeout: TIMEOUT_MS,
        killSignal: 'SIGKILL',
      }).status !== 0,
  );
}

function tryMutant({ file, line, name, before, after }: Mutant): boolean {
  const original = readFileSync(file, 'utf8');
  const lines = original.split('\n');
  lines[line] = after;
  writeFileSync(file, lines.join('\n'));
  const killer = killedBy();
  writeFileSync(file, original);
  const path = file.slice(join(folder, 'build/src/dataplane/').length);
  const where = `${path}:${line + 1}, ${name}`;
  const reason = killer === undefined ? reasonOf({ path, line: before.trim(), name }) : undefined;
  process.stdout.write(
    killer !== undefined
      ? `${killer} sees ${where}\n`
      : reason !== undefined
        ? `as good as before: ${where} (${reason})\n`
        : `SURVIVES ${where}: ${before.trim()}\n`,
  );
  return killer !== undefined || reason !== undefined;
}

const base = join(folder, 'build/src/dataplane');
const all = readdirSync(base, { recursive: true, encoding: 'utf8' })
  .filter(name => name.endsWith('.js') && name.includes(ONLY))
  .sort()
  .flatMap(name => mutantsOf(join(base, name)));
const sound = killedBy();
if (sound !== undefined) throw new Error(`${sound} fails before anything is broken`);
const random = seededRandom(SEED);
const chosen = Array.from({ length: Math.min(MUTANTS, all.length) }, () =>
  all.splice(random.below(all.length), 1),
).flat();
const found = chosen.filter(tryMutant).length;
process.stdout.write(`${found} of ${chosen.length} mutants are seen, or as good as before\n`);
