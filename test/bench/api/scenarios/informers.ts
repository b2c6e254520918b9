import { metered } from '../meter.js';
import { configMap, MAPS } from '../objects.js';
import { scaled } from '../scale.js';
import { row, type Scenario } from '../scenario.js';
import { createAll, withNamespace } from '../stored.js';
import { Watchers } from '../watchers.js';

const INFORMERS = 300;
const OBJECTS = scaled(1_000);
const NAME = 'informers';
const PATH =
  `${MAPS}?watch=1&labelSelector=read-by%3Dinformers` +
  '&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan&resourceVersion=';

/** What happens when a controller manager's worth of clients comes back at once: handshakes, then all objects to each. */
export const INFORMER_START: Scenario = {
  name: NAME,
  rows: [row(NAME, `${INFORMERS} informers start at once, ${OBJECTS.toLocaleString('en')} objects`, 'ms', 1_800)],
  runs: 1,
  async prepare({ server }) {
    await withNamespace(server);
    await createAll(server, MAPS, OBJECTS, i => configMap(`informed-${i}`, undefined, { 'read-by': 'informers' }));
  },
  async run({ server }) {
    const watchers = Watchers.start();
    try {
      const { result, cpuMs } = await metered(server, () => watchers.synced(server.endpoint, INFORMERS, PATH));
      return { [NAME]: { value: result.synced, cpuMs, driver: result.driver } };
    } finally {
      await watchers.stop();
    }
  },
};
