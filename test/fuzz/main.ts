import { run } from './run.js';

/**
 * `make fuzz`: hostile texts for everything that takes one. SEED chooses the shapes, SHAPES says how many a row gets
 * ("all"), ONLY names a part of the rows' names, SETS the files beside this one that have the rows; with WAYS=all
 * every list is sent in every way.
 */
const { SEED, SHAPES, ONLY, SETS = 'fields,lists,pairs,depths,requests,network' } = process.env;
const seed = SEED === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(SEED);
console.log(`SEED=${seed}`);
let failed = false;
for (const set of SETS.split(',')) {
  const { findings, probes } = await run(
    {
      module: new URL(`./${set}.js`, import.meta.url).href,
      seed,
      ...(SHAPES === 'all' ? {} : { shapes: Number(SHAPES ?? 6) }),
      ...(ONLY === undefined ? {} : { only: ONLY }),
      bounds: { noiseMs: 20, excess: 3, blockMs: 50 },
    },
    ({ kind, row, shape, text }) => console.log(`${kind}: ${row}, ${shape}: ${text}`),
  );
  console.log(`${set}: ${probes} probes, ${findings.length} findings`);
  failed ||= findings.length > 0;
}
process.exit(failed ? 1 : 0);
