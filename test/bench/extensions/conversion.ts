import { semanticEqual } from '../../../src/machinery/json-equal.js';
import { benchFolder, startBenchServer } from '../api-server.js';
import { cpuOf } from '../memory.js';
import { ms, type Row } from '../table.js';
import { inParallel, timed } from '../timed.js';
import { startHooks } from './hooks.js';
import { custom, define, SPEC, specSchema } from './shop.js';

const OBJECTS = 1_000;

/** A list in a version that a webhook makes of what is stored. */
export async function convertedList(): Promise<Row[]> {
  const server = await startBenchServer(benchFolder(), ['--storage', 'memory']);
  const hooks = await startHooks();
  const { client, pid } = server;
  try {
    const webhook = { clientConfig: hooks.at('/convert'), conversionReviewVersions: ['v1'] };
    const conversion = { strategy: 'Webhook', webhook };
    await define(client, { plural: 'shops', kind: 'Shop', spec: specSchema([]), versions: ['v2'], conversion });
    const shops = client.resource(custom('shops'));
    await inParallel(OBJECTS, 64, i =>
      shops.create('default', {
        apiVersion: 'bench.example.com/v1',
        kind: 'Shop',
        metadata: { name: `s${i}` },
        spec: SPEC,
      } as object as Parameters<typeof shops.create>[1]),
    );
    const list = async (version: string): Promise<string> => {
      const before = cpuOf(pid);
      const { took, result } = await timed(() => client.resource(custom('shops', version)).list());
      const specs = result.items.map(item => (item as { readonly spec?: unknown }).spec);
      const right = specs.filter(spec => semanticEqual(spec, SPEC)).length;
      if (right !== OBJECTS) throw new Error(`${right} of ${OBJECTS} objects are what they should be`);
      return `${ms(took)}, ${ms(cpuOf(pid) - before)}`;
    };
    return [
      {
        what: `list of ${OBJECTS} custom resources of 4 KB as they are stored: time, CPU time`,
        value: await list('v1'),
      },
      { what: '  again', value: await list('v1') },
      { what: '  converted by a webhook', value: await list('v2') },
      { what: '  again', value: await list('v2') },
    ];
  } finally {
    hooks.stop();
    await server.stop();
  }
}
