import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { originalRecordings } from '../replay/originals.js';
import { RECORDINGS, type Area } from '../replay/recordings.js';

/** `node --import tsx test/recordings/convert.ts FOLDER`: writes the repository's recordings anew from the originals. */
const folder = process.argv[2];
if (folder === undefined) throw new Error('which folder?');
for (const area of ['wire', 'kubectl', 'proxy'] satisfies Area[]) {
  const recordings = originalRecordings(area, folder);
  if (recordings === undefined) {
    process.stderr.write(`${area}: not in ${folder}\n`);
    continue;
  }
  const to = join(RECORDINGS, area);
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  for (const [name, text] of recordings) writeFileSync(join(to, `${name}.ndjson`), text);
  process.stdout.write(`${area}: ${recordings.size} recordings\n`);
}
