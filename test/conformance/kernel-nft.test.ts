import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { NftCommand } from '../../src/dataplane/kernel/program.js';
import { ipOf } from '../../src/dataplane/tools/nft/family-name.js';
import { parseNftJson } from '../../src/dataplane/tools/nft/json/parse-ruleset.js';
import { printNftJsonScript } from '../../src/dataplane/tools/nft/json/print-commands.js';
import { printNftJson } from '../../src/dataplane/tools/nft/json/print-ruleset.js';
import { jsonText } from '../../src/dataplane/tools/nft/json/text.js';
import { printNftList } from '../../src/dataplane/tools/nft/print-list.js';
import { printNftScript } from '../../src/dataplane/tools/nft/print-script.js';
import type { Family } from '../../src/machinery/ip.js';
import type { Json } from '../../src/machinery/types.js';
import { nftJsonDifferences } from '../replay/proxy/nft-json.js';
import { nftTextDifferences } from '../replay/proxy/nft-text.js';
import { createNode } from '../replay/proxy/node.js';
import type { Case, Step } from '../replay/proxy/types.js';
import { ownRecordings, parseRecording } from '../replay/recordings.js';
import { emptyKernel } from '../support/loaded-nodes.js';
import { shareOf } from '../support/share.js';

/** Why the kernel of this machine cannot be asked; undefined when it can. */
function obstacle(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root, for a network namespace';
  const probe = spawnSync('unshare', ['-n', 'sh', '-c', 'command -v nft && nft list ruleset']);
  return probe.status === 0 ? undefined : `needs unshare and nft (${String(probe.stderr ?? probe.error)})`;
}

const why = obstacle();
const options = why === undefined ? {} : { skip: `THE KERNEL WAS NOT ASKED: ${why}` };
const MARK = '=== ';

interface Listed {
  readonly script: string;
  readonly jsonScript: string;
  readonly list: string;
  readonly json: string;
}

/** Every sync of the case as input of `nft -f`, and how our kernel lists its tables after it. */
function syncsOf(head: Case, steps: readonly Step[], family: Family): Listed[] {
  const node = createNode(head, 'nftables', family);
  return steps.map(step => {
    let [script, jsonScript] = ['', '{"nftables": []}'];
    node.change(step, program => {
      if (program.kind === 'nftables') [script, jsonScript] = [printNftScript(program), printNftJsonScript(program)];
    });
    return { script, jsonScript, list: printNftList(node.kernel), json: printNftJson(node.kernel) };
  });
}

/** What the commands print in a network of their own, each about the file with one text. */
function run(folder: string, texts: readonly string[], command: (file: string) => string): string[] {
  const commands = texts.map((text, i) => {
    const file = join(folder, String(i));
    writeFileSync(file, text);
    return command(file);
  });
  const listed = execFileSync('unshare', ['-n', 'bash', '-c', commands.join(' && ')], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  return listed.split(`${MARK}\n`).slice(1);
}

/** As our kernel lists it that has loaded it. */
function reread(json: string, family: Family): string {
  const kernel = emptyKernel(family);
  for (const program of parseNftJson(json, family)) kernel.load(program);
  return printNftJson(kernel);
}

// Run by itself it would have tap's 30 seconds, which a busy machine exceeds.
t.setTimeout(280_000);
t.test('the kernel takes our transactions and lists what we list', options, async t => {
  const folder = mkdtempSync(join(tmpdir(), 'kubette-nft-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  for (const text of shareOf(ownRecordings('proxy').values())) {
    const { head, steps } = parseRecording<Case, Step>(text);
    for (const family of ['IPv4', 'IPv6'] as const) {
      const syncs = syncsOf(head, steps, family);
      const lists = run(
        folder,
        syncs.map(({ script }) => script),
        file => `nft -f ${file} && echo "${MARK}" && nft -s list ruleset && echo "${MARK}" && nft -j list ruleset`,
      );
      t.equal(lists.length, 2 * syncs.length, `${head.name}, ${family}: every transaction is taken`);
      syncs.forEach(({ list, json }, i) => {
        const about = `${head.name}, ${family}: ${steps[i]?.about ?? ''}`;
        t.same(nftTextDifferences(lists[2 * i] ?? '', list), [], about);
        const theirs = lists[2 * i + 1] ?? '';
        t.same(nftJsonDifferences(theirs, json), [], `${about}, as JSON`);
        t.ok(theirs === `${jsonText(JSON.parse(theirs) as Json)}\n`, `${about}: JSON is written as nft writes it`);
        t.same(nftJsonDifferences(theirs, reread(theirs, family)), [], `${about}: the kernel's JSON is read`);
      });
    }
  }
});

/** nft 1.0.6 looks at none that JSON gives it. */
function withoutSetComments(json: string): string {
  const { nftables } = JSON.parse(json) as { nftables: readonly Record<string, Record<string, Json>>[] };
  for (const { set, map } of nftables) for (const one of [set, map]) if (one !== undefined) delete one['comment'];
  return jsonText({ nftables: [...nftables] });
}

t.test('the kernel takes our transactions as JSON', options, async t => {
  const folder = mkdtempSync(join(tmpdir(), 'kubette-nft-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  for (const text of shareOf(ownRecordings('proxy').values())) {
    const { head, steps } = parseRecording<Case, Step>(text);
    for (const family of ['IPv4', 'IPv6'] as const) {
      const syncs = syncsOf(head, steps, family);
      const lists = run(
        folder,
        syncs.map(({ jsonScript }) => jsonScript),
        file => `nft -j -f ${file} && echo "${MARK}" && nft -j list ruleset`,
      );
      t.equal(lists.length, syncs.length, `${head.name}, ${family}: every transaction is taken`);
      syncs.forEach(({ json }, i) =>
        t.same(
          nftJsonDifferences(lists[i] ?? '', withoutSetComments(json)),
          [],
          `${head.name}, ${family}: ${steps[i]?.about ?? ''}`,
        ),
      );
    }
  }
});

/** What has a handle: ["rule", "services", 12]. */
const handlesOf = (json: string): string[] =>
  (JSON.parse(json) as { nftables: readonly Record<string, Record<string, Json>>[] }).nftables
    .flatMap(item => Object.entries(item))
    .filter(([kind]) => kind !== 'metainfo')
    .map(([kind, { name, chain, handle }]) => JSON.stringify([kind, name ?? chain, handle]))
    .sort();

/** As a script that makes it from nothing, elements last: they name chains. */
function scriptOf(json: string, family: Family): string {
  return parseNftJson(json, family)
    .map(program => {
      const isElement = ({ kind }: NftCommand): boolean => kind === 'addElement';
      const { commands } = program;
      const sorted = [...commands.filter(command => !isElement(command)), ...commands.filter(isElement)];
      const head = `add table ${ipOf(family)} ${program.table}\n`;
      return head + printNftScript({ ...program, commands: sorted });
    })
    .join('');
}

t.test('handles are those that the kernel gives to what stands in that order', options, async t => {
  const folder = mkdtempSync(join(tmpdir(), 'kubette-nft-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  for (const text of shareOf(ownRecordings('proxy').values())) {
    const { head, steps } = parseRecording<Case, Step>(text);
    for (const family of ['IPv4', 'IPv6'] as const) {
      const json = syncsOf(head, steps, family).at(-1)?.json ?? '';
      const script = scriptOf(json, family);
      const [listed = ''] = run(folder, [script], file => `nft -f ${file} && echo "${MARK}" && nft -j list ruleset`);
      t.same(handlesOf(listed), handlesOf(json), `${head.name}, ${family}`);
    }
  }
});
