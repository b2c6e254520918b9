import { realClock } from '../../../src/machinery/clock.js';
import { benchFolder, startBenchServer, type BenchServer } from '../api-server.js';
import { cpuOf, memoryOf } from '../memory.js';
import { ms, type Row } from '../table.js';
import { inParallel, timed } from '../timed.js';
import { definition, DEFINITIONS, isServed, RULES, specSchema } from './shop.js';

const COUNT = 500;
const GROUPS = 50;
const IN_FLIGHT = 16;
const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

const groupOf = (i: number): string => `g${i % GROUPS}.example.com`;
const listOf = (i: number): string => `/apis/${groupOf(i)}/v1/things${i}`;

async function served({ client }: BenchServer): Promise<void> {
  for (let i = 0; i < COUNT; i++) while (!(await isServed(client, listOf(i)))) await realClock.sleep(2);
}

/** Half of the kinds have ten rules. */
const install = ({ client }: BenchServer): Promise<number> =>
  inParallel(COUNT, IN_FLIGHT, i =>
    client.resource(DEFINITIONS).create(
      '',
      definition({
        group: groupOf(i),
        plural: `things${i}`,
        kind: `Thing${i}`,
        spec: specSchema(i % 2 === 0 ? RULES : []),
      }),
    ),
  );

async function documents({ client, pid }: BenchServer): Promise<Row[]> {
  const rows: Row[] = [];
  const ask = async (what: string, path: string, accept?: string): Promise<void> => {
    const before = cpuOf(pid);
    const get = (): Promise<string> =>
      client.transport.fetch({ method: 'GET', path, ...(accept === undefined ? {} : { accept }) });
    const { took, result } = await timed(get);
    const cpu = cpuOf(pid) - before;
    const again = (await timed(get)).took;
    const size = `${(Buffer.byteLength(result) / 1024).toFixed(0)} KB`;
    rows.push({
      what: `  ${what}: size, first, CPU time of it, again`,
      value: `${size}, ${ms(took)}, ${ms(cpu)}, ${ms(again)}`,
    });
  };
  await ask('aggregated discovery', '/apis', AGGREGATED);
  await ask('OpenAPI v2', '/openapi/v2');
  await ask('OpenAPI v3, what there is', '/openapi/v3');
  await ask('OpenAPI v3, a group of ten kinds', `/openapi/v3/apis/${groupOf(0)}/v1`);
  return rows;
}

/** A server with the definitions of a large platform. */
export async function manyDefinitions(): Promise<Row[]> {
  const dataDir = benchFolder();
  const empty = await startBenchServer(dataDir, []);
  await empty.stop();
  const server = await startBenchServer(dataDir, []);
  const before = memoryOf(server.pid).rss;
  const cpuBefore = cpuOf(server.pid);
  const created = await install(server);
  const { took: waited } = await timed(() => served(server));
  const cpu = cpuOf(server.pid) - cpuBefore;
  const after = memoryOf(server.pid).rss;
  const documented = await documents(server);
  const full = memoryOf(server.pid).rss;
  await server.stop();
  const again = await startBenchServer(dataDir, []);
  const { took: servedAgain } = await timed(() => served(again));
  const restarted = memoryOf(again.pid).rss;
  await again.stop();
  return [
    { what: `${COUNT} definitions: created by ${IN_FLIGHT} clients and all served`, value: ms(created + waited) },
    { what: '  CPU time of the server', value: ms(cpu) },
    { what: '  memory before, after', value: `${before.toFixed(0)}, ${after.toFixed(0)} MB` },
    ...documented,
    { what: '  memory after these', value: `${full.toFixed(0)} MB` },
    { what: '  start of an empty server, of one with them', value: `${ms(server.took)}, ${ms(again.took)}` },
    { what: '  and until the last of them is served', value: ms(again.took + servedAgain) },
    { what: '  memory then', value: `${restarted.toFixed(0)} MB` },
  ];
}
