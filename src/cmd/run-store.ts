import { checkStore } from '../cluster/store-care/check.js';
import { defragStore } from '../cluster/store-care/defrag.js';
import { withStore } from '../cluster/store-care/place.js';
import type { Finding } from '../storage/leveldb/inspect.js';
import { encryptionOf } from './apiserver-settings.js';
import { whichCluster, type Flags } from './clusters/which.js';
import { fail } from './process.js';
import { formatBytes, formatSummary, problemsText } from './store/text.js';

const say = (text: string): void => void process.stdout.write(text);

async function run(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    fail('store', error);
  }
}

/** Exit code 0: nothing is wrong. */
export const runCheck = (flags: Flags): Promise<void> =>
  run(async () => {
    const { dataDir } = whichCluster(flags);
    const encryption = await encryptionOf(flags);
    const asJson = flags['json'] === true;
    const findings: Finding[] = [];
    const found = (finding: Finding): void => {
      findings.push(finding);
      if (!asJson) say(`${finding.about}: ${finding.problem}\n`);
    };
    const checked = await withStore(dataDir, place => checkStore(place, { found, encryption }), { readOnly: true });
    say(asJson ? `${JSON.stringify({ ...checked, findings }, undefined, 2)}\n` : formatSummary(checked));
    if (findings.length > 0) throw new Error(problemsText(findings.length));
  });

export const runDefrag = (flags: Flags): Promise<void> =>
  run(async () => {
    const { before, after } = await withStore(whichCluster(flags).dataDir, defragStore);
    say(`${formatBytes(before)} before, ${formatBytes(after)} after\n`);
  });
