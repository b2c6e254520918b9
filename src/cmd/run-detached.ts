import { spawn } from 'node:child_process';
import { mkdir, open, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { ensureDataFolder } from '../cluster/data-folder.js';
import { realClock } from '../machinery/clock.js';
import { logFile, logFolder } from './clusters/logs.js';
import { titleOf } from './clusters/stop.js';
import type { UpSettings } from './up/settings.js';
import { whichCluster } from './clusters/which.js';
import { fail, Problems } from './process.js';

const ENTRY = fileURLToPath(new URL('./kubette.js', import.meta.url));
const POLL_MS = 30;
const OWN = 'kubette up: ';
const READY = /^ready in \d+ ms/m;

/** Starts `up` in the background with the same flags; returns when it is ready. Exit code 1 and its last line if it ends. */
export async function runDetached({ flags }: UpSettings): Promise<void> {
  try {
    const which = whichCluster(flags);
    await ensureDataFolder(which.dataDir);
    await mkdir(logFolder(which.dataDir), { recursive: true, mode: 0o700 });
    const path = logFile(which.dataDir, 'up');
    const log = await open(path, 'w', 0o600);
    const args = process.argv.slice(3).filter(arg => arg !== '-d' && arg !== '--detach');
    const child = spawn(process.execPath, [ENTRY, 'up', ...args], {
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    });
    await log.close();
    let ended: number | null | undefined;
    child.once('exit', code => (ended = code ?? 1));
    const said = (): Promise<string> => readFile(path, 'utf8');
    while (ended === undefined && !READY.test(await said())) await realClock.sleep(POLL_MS);
    const text = await said();
    if (ended !== undefined) {
      const lines = text.trimEnd().split('\n');
      const own = lines.filter(line => line.startsWith(OWN)).map(line => line.slice(OWN.length));
      throw new Problems(own.length > 0 ? own : [lines.pop() || `it ended with ${ended ?? 0}`]);
    }
    child.unref();
    process.stdout.write(text);
    process.stdout.write(`${titleOf(which)} runs in the background (process ${child.pid ?? 0})\n`);
  } catch (error) {
    fail('up', error);
  }
}
