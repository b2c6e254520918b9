import { runCampaign } from './mutated/campaign.js';
import { run, type Report } from './run.js';
import type { Finding } from './growth.js';

/**
 * `make fuzz`: hostile texts for everything that takes one. SEED chooses the shapes, SHAPES says how many a row gets
 * ("all"), ONLY names a part of the rows' names, SETS the files beside this one that have the rows; with WAYS=all
 * every list is sent in every way.
 */
const { SEED, SHAPES, ONLY, SETS = 'fields,lists,pairs,depths,requests,network,mutated', REQUESTS } = process.env;
const seed = SEED === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(SEED);
console.log(`SEED=${seed}`);
let failed = false;
const say = ({ kind, row, shape, text }: Finding): void => console.log(`${kind}: ${row}, ${shape}: ${text}`);

async function runSet(set: string): Promise<Report> {
  if (set === 'mutated') {
    const bounds = { holdMs: 50, growthBytes: 40e6 };
    const report = await runCampaign({ ...bounds, seed, requests: Number(REQUESTS ?? 50_000), onFinding: say });
    const counts = [...report.statuses].sort(([a], [b]) => a - b).map(([status, count]) => `${count} of ${status}`);
    console.log(
      `answers: ${counts.join(', ')}; MB held: ${report.memory.map(bytes => Math.round(bytes / 1e6)).join(', then ')}`,
    );
    return { findings: report.findings, probes: report.requests };
  }
  const task = {
    module: new URL(`./${set}.js`, import.meta.url).href,
    seed,
    ...(SHAPES === 'all' ? {} : { shapes: Number(SHAPES ?? 6) }),
    ...(ONLY === undefined ? {} : { only: ONLY }),
    bounds: { noiseMs: 20, excess: 3, blockMs: 50 },
  };
  return run(task, say);
}

for (const set of SETS.split(',')) {
  const { findings, probes } = await runSet(set);
  console.log(`${set}: ${probes} probes, ${findings.length} findings`);
  failed ||= findings.length > 0;
}
process.exit(failed ? 1 : 0);
