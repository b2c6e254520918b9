import t from 'tap';
import { runCampaign } from '../fuzz/mutated/campaign.js';
import { run } from '../fuzz/run.js';
import { THOROUGH } from '../support/share.js';

/**
 * The short form of `make fuzz`: some rows and shapes, the same each time; a quarter of them where nobody asks for all. Only what is far from linear, and seconds
 * long, fails here; `make fuzz` looks at every row and at milliseconds.
 */
const share = (of: number): number => (THOROUGH ? of : Math.ceil(of / 4));
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
  const some = share(rows);
  t.test(`hostile ${set} take linear time`, async t => {
    t.setTimeout(0);
    const module = new URL(`../fuzz/${set}.js`, import.meta.url).href;
    const { findings, probes } = await run({ module, seed: 7, rows: some, shapes: 4, bounds });
    t.same(findings, []);
    t.ok(probes >= some, `${probes} probes`);
  });
}

t.test('wrong requests over every route get an answer that somebody wrote', async t => {
  const requests = share(3_000);
  const report = await runCampaign({ seed: 7, requests, holdMs: 400, growthBytes: 60e6 });
  t.same(report.findings, []);
  t.ok(report.requests >= requests, `${report.requests} requests`);
});
