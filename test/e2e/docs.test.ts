import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { blocksOf, commandsOf, missingLine, type DocumentedCommand } from '../docs/blocks.js';
import { openShell, type Outcome, type Shell } from '../docs/shell.js';
import { PREAMBLES, SPECIAL, type Special } from '../docs/special.js';
import { hasItsTurn } from '../support/share.js';
import { KUBETTE, pauseAfter, ROOT, run } from '../support/up.js';

/*
 * Every command of the pages for users is run, as a reader would: in the order of the page, in one shell, again while it fails, and
 * with what comes out compared to what the page shows. test/docs/special.ts names those that are run otherwise, and why.
 * Most pages want clusters of their own: beside the README a third of them is followed, all with THOROUGH=1.
 */
t.setTimeout(600_000);

const RUN = ['sh', 'console'];
/** Read, not run. Those in ts and js are run by tests of their own, or written to a file by a page's commands. */
const READ = ['text', 'yaml', 'json', 'ts', 'js', 'mermaid', 'go', 'python'];
const PATIENCE_MS = 60_000;

const pages = [
  'README.md',
  ...readdirSync(join(ROOT, 'docs'))
    .filter(name => name.endsWith('.md'))
    .map(name => `docs/${name}`),
  ...readdirSync(join(ROOT, 'examples'), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.md') && !name.includes('node_modules'))
    .map(name => `examples/${name}`),
].sort();

const text = (page: string): string => readFileSync(join(ROOT, page), 'utf8');
const commands = (page: string): DocumentedCommand[] =>
  blocksOf(text(page))
    .filter(({ language }) => RUN.includes(language))
    .flatMap(commandsOf);
function specialOf(page: string, all: readonly DocumentedCommand[], command: DocumentedCommand): Special | undefined {
  return SPECIAL.find(special => {
    if (special.page !== page || !command.text.startsWith(special.command)) return false;
    const alike = all.filter(({ text: it }) => it.startsWith(special.command));
    return special.nth === undefined || alike[special.nth] === command;
  });
}

t.test('every block says what it is', t => {
  for (const page of pages)
    for (const { line, language } of blocksOf(text(page)))
      t.ok(
        [...RUN, ...READ].includes(language),
        `${page}:${line}: a block of ${[...RUN, ...READ].join(', ')}, not ${JSON.stringify(language)}`,
      );
  t.end();
});

t.test('what is said of commands is said of one that there is', t => {
  for (const { page, command } of SPECIAL)
    t.ok(
      commands(page).some(({ text: it }) => it.startsWith(command)),
      `${page}: ${command}`,
    );
  for (const page of Object.keys(PREAMBLES)) t.ok(commands(page).length > 0, page);
  t.end();
});

/** A folder in which the package is installed, as `npm install` would do it, and who looks in it for programs. */
function readersFolder(): {
  readonly cwd: string;
  readonly files: string;
  readonly env: NodeJS.ProcessEnv;
  remove(): void;
} {
  const home = mkdtempSync(join(tmpdir(), 'kubette-docs-'));
  const [cwd, bin, files] = ['page', 'bin', 'files'].map(name => join(home, name)) as [string, string, string];
  for (const folder of [bin, files, join(cwd, 'node_modules/.bin')]) mkdirSync(folder, { recursive: true });
  // A page has the usual port. Somebody else on this machine may have it, too.
  writeFileSync(
    join(bin, 'kubette'),
    `#!/bin/sh
case "$1 $*" in
  *--secure-port*) ;;
  up\\ *|apiserver\\ *) command=$1; shift; set -- "$command" --secure-port 0 "$@" ;;
esac
exec '${process.execPath}' '${KUBETTE}' "$@"
`,
  );
  chmodSync(join(bin, 'kubette'), 0o755);
  symlinkSync(join(bin, 'kubette'), join(cwd, 'node_modules/.bin/kubette'));
  symlinkSync(ROOT, join(cwd, 'node_modules/kubette'));
  writeFileSync(join(cwd, 'package.json'), '{ "private": true }');
  cpSync(join(ROOT, 'examples'), join(cwd, 'examples'), { recursive: true });
  const env = {
    ...process.env,
    PATH: `${bin}:${process.env['PATH'] ?? ''}`,
    HOME: home,
    XDG_STATE_HOME: join(home, 'state'),
    KUBECONFIG: join(cwd, '.kubette/kubeconfig'),
    REPOSITORY: ROOT,
    npm_config_offline: 'true',
  };
  return { cwd, files, env, remove: () => rmSync(home, { recursive: true, force: true }) };
}

async function followed(t: Test, page: string): Promise<void> {
  const folder = readersFolder();
  const shell = openShell(folder.cwd, folder.files, folder.env);
  t.teardown(async () => {
    shell.close();
    const kubette = (...args: string[]) =>
      run('kubette', args, { cwd: folder.cwd, env: folder.env as Record<string, string>, timeoutMs: 60_000 });
    const clusters = JSON.parse((await kubette('list', '--json')).stdout) as { readonly dataDir: string }[];
    for (const { dataDir } of clusters) await kubette('delete', '--data-dir', dataDir);
    folder.remove();
  });
  for (const { language, text: source } of blocksOf(text(page)))
    if (language === 'js') writeFileSync(join(folder.cwd, 'hook.mjs'), source);
  const preamble = PREAMBLES[page];
  if (preamble !== undefined) {
    const { code, output } = await shell.run(preamble, PATIENCE_MS);
    if (code !== 0) return void t.fail(`${preamble}: ${output}`);
  }
  const all = commands(page);
  for (const command of all) {
    const special = specialOf(page, all, command);
    if (special?.skip === true) {
      t.comment(`${page}:${command.line}: not run, ${special.why}`);
      continue;
    }
    if (special?.before !== undefined) await shell.run(special.before, PATIENCE_MS);
    const problem = await tried(shell, command, special);
    t.equal(problem, undefined, `${page}:${command.line}: ${command.text.split('\n')[0] ?? ''}`);
  }
}

/** Runs it until it is as it should be, or for long enough. @returns what is not */
async function tried(
  shell: Shell,
  command: DocumentedCommand,
  special: Special | undefined,
): Promise<string | undefined> {
  const rest = command.text.slice(special?.command.length ?? 0);
  const typed =
    special?.instead === undefined
      ? command.text
      : special.instead.endsWith(' -n')
        ? `${special.instead} ${rest}`
        : special.instead;
  // Whoever types several on a line wants all of them to work.
  const line = typed.includes('\n') ? typed : typed.replaceAll(' ; ', ' && ');
  const began = Date.now();
  for (;;) {
    const { goesOnWith } = special ?? {};
    const outcome = await (goesOnWith === undefined
      ? shell.run(line, 2 * PATIENCE_MS)
      : shell.runUntil(line, goesOnWith, PATIENCE_MS));
    const problem = problemOf(outcome, command, special);
    const passed = Date.now() - began;
    if (problem === undefined || passed > PATIENCE_MS) return problem;
    await new Promise(resolve => setTimeout(resolve, pauseAfter(passed)));
  }
}

function problemOf(
  { code, output }: Outcome,
  { shown }: DocumentedCommand,
  special: Special | undefined,
): string | undefined {
  const { refused, output: wanted } = special ?? {};
  if (refused !== undefined)
    return code !== 0 && refused.test(output)
      ? undefined
      : `exit code ${code}, not refused with ${String(refused)}: ${output}`;
  const missing = shown && missingLine(shown, output);
  if (missing !== undefined) return `does not print ${JSON.stringify(missing)}, but ${output}`;
  // What why finds is an answer, too.
  if (code !== 0 && shown === undefined) return `exit code ${code}: ${output}`;
  return wanted === undefined || wanted.test(output) ? undefined : `does not print ${String(wanted)}, but ${output}`;
}

// Readers mostly wait, each for a cluster of their own.
t.jobs = 3;
const PARTS = 3;
const toFollow = pages.filter(page => commands(page).length > 0);
for (const [i, page] of toFollow.entries())
  if (page === 'README.md' || hasItsTurn(i, PARTS)) t.test(page, { buffered: true }, t => followed(t, page));
