import { benchFolder } from '../../api-server.js';
import { configMap, MAPS } from '../objects.js';
import { RUNS, scaled } from '../scale.js';
import { row, type Scenario } from '../scenario.js';
import { createAll, withNamespace } from '../stored.js';
import type { Target } from '../target.js';

const OBJECTS = scaled(50_000);

/** A server's start on a folder, after which it is stopped again. */
async function startOn({ start }: Target, folder: string): Promise<number> {
  if (start === undefined) throw new Error('a start wants a server of its own');
  const server = await start(folder);
  await server.stop();
  return server.tookMs;
}

/** Folders that have objects, by the target's name. */
const filled = new Map<string, string>();

/** From the start of the process, or of all of them, until `/readyz` says so. */
export const START: Scenario = {
  name: 'start',
  rows: [
    row('start-empty', 'ready from an empty folder, keys to be made', 'ms', 350),
    row('start-again', '  from a folder with nothing but its own objects', 'ms'),
    row('start-50000', `  from ${OBJECTS.toLocaleString('en')} ConfigMaps of 1 KB`, 'ms', 1_500),
  ],
  runs: RUNS,
  fresh: true,
  async prepare(target) {
    if (target.start === undefined) return;
    const folder = benchFolder();
    filled.set(target.name, folder);
    const server = await target.start(folder);
    await withNamespace(server);
    await createAll(server, MAPS, OBJECTS, i => configMap(`map-${i}`));
    await server.stop();
  },
  async run(target) {
    const folder = benchFolder();
    return {
      'start-empty': { value: await startOn(target, folder) },
      'start-again': { value: await startOn(target, folder) },
      'start-50000': { value: await startOn(target, filled.get(target.name) ?? '') },
    };
  },
};
