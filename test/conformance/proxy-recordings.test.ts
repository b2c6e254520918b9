import t, { type Test } from 'tap';
import type { Kernel } from '../../src/dataplane/kernel/types.js';
import { printSave } from '../../src/dataplane/tools/iptables/print-save.js';
import { printNftList } from '../../src/dataplane/tools/nft/print-list.js';
import { differingOriginals } from '../replay/originals.js';
import { nftTextDifferences } from '../replay/proxy/nft-text.js';
import { createNode } from '../replay/proxy/node.js';
import { NOT_RECORDED, RECORDED_MODES, type RecordedMode } from '../replay/proxy/recorded-modes.js';
import { saveTextDifferences } from '../replay/proxy/save-text.js';
import type { Case, Step } from '../replay/proxy/types.js';
import { ownRecordings, parseRecording } from '../replay/recordings.js';
import { checkScore } from '../support/score.js';

/*
 * What the real kube-proxy 1.35.4 programs, recorded, against what our proxy loads for the same objects: every mode that
 * was recorded, both families, through the same incremental syncs as a running agent.
 */
interface Mode {
  readonly print: (kernel: Kernel) => string;
  readonly differences: (expected: string, actual: string) => string[];
  readonly skipped: Readonly<Record<string, string>>;
}

/** Not of these recordings: the agent's iptables is 1.8.9 and listens where --bind-address does not say. */
const MODES: Readonly<Record<RecordedMode, Mode>> = {
  iptables: {
    print: printSave,
    differences: saveTextDifferences,
    skipped: { 'cfg-old-iptables': 'an iptables without --random-fully is not simulated' },
  },
  nftables: { print: printNftList, differences: nftTextDifferences, skipped: {} },
};

const FAMILIES = [
  ['IPv4', 'v4'],
  ['IPv6', 'v6'],
] as const;

interface Count {
  passed: number;
  of: number;
}

/** Counts the texts that are compared, and those that are right. */
function replay(t: Test, text: string, counts?: Readonly<Record<RecordedMode, Count>>): void {
  const { head, steps } = parseRecording<Case, Step>(text);
  for (const mode of RECORDED_MODES)
    for (const [family, key] of FAMILIES) {
      const { print, differences, skipped } = MODES[mode];
      const options = skipped[head.name] === undefined ? {} : { skip: skipped[head.name] ?? '' };
      t.test(`${head.name}, ${mode}, ${family}: ${head.about}`, options, t => {
        const node = createNode(head, mode, family);
        for (const step of steps) {
          node.change(step);
          const right = t.same(differences(step.rules[mode][key], print(node.kernel)), [], step.about);
          const count = counts?.[mode];
          if (count === undefined) continue;
          count.of++;
          if (right) count.passed++;
        }
        t.end();
      });
    }
}

for (const [mode, skip] of Object.entries(NOT_RECORDED)) t.test(mode, { skip }, t => t.end());

const own = ownRecordings('proxy');
const counts = Object.fromEntries(RECORDED_MODES.map(mode => [mode, { passed: 0, of: 0 }])) as Record<
  RecordedMode,
  Count
>;
for (const text of own.values()) replay(t, text, counts);
t.test('score', async t => {
  const skipped = Object.fromEntries(RECORDED_MODES.map(mode => [mode, MODES[mode].skipped]));
  checkScore(t, 'proxy', { ...counts, skipped });
});

const others = differingOriginals('proxy', own);
t.test(
  'the originals beside the repository, where they differ',
  { skip: others === undefined ? 'no original recordings beside the repository' : false },
  t => {
    t.comment(`${others?.size ?? 0} differ from the repository's`);
    for (const text of others?.values() ?? []) replay(t, text);
    t.end();
  },
);
