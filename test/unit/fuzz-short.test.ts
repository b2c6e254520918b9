import t from 'tap';
import { runCampaign } from '../fuzz/mutated/campaign.js';
import { run } from '../fuzz/run.js';

/**
 * The short form of `make fuzz`: some rows and shapes, the same each time. Only what is far from linear, and seconds
 * long, fails here; `make fuzz` looks at every row and at milliseconds.
 */
const bounds = { noiseMs: 400, excess: 3 };

// run() ends what hangs, and says where.
t.setTimeout(0);

for (const [set, rows] of [
  ['fields', 120],
  ['lists', 20],
  ['pairs', 19],
  ['depths', 24],
  ['requests', 30],
  ['network', 20],
] as const) {
  t.test(`hostile ${set} take linear time`, async t => {
    t.setTimeout(0);
    const module = new URL(`../fuzz/${set}.js`, import.meta.url).href;
    const { findings, probes } = await run({ module, seed: 7, rows, shapes: 4, bounds });
    t.same(findings, []);
    t.ok(probes >= rows, `${probes} probes`);
  });
}

t.test('wrong requests over every route get an answer that somebody wrote', async t => {
  const report = await runCampaign({ seed: 7, requests: 3_000, holdMs: 400, growthBytes: 60e6 });
  t.same(report.findings, []);
  t.ok(report.requests >= 3_000, `${report.requests} requests`);
});
