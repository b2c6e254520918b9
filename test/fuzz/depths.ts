import type { Row } from './growth.js';
import { openTargets, WAYS, type Way } from './objects.js';
import type { Shape } from './shapes.js';
import type { Rows } from './worker.js';

/** Texts nested as deep as their size says, around the same bodies. */
const DEPTHS: readonly Shape[] = [
  ['lists', '[', '1', ']'],
  ['maps', '{"a":', '1', '}'],
  ['field sets', '{"f:a":', '{}', '}'],
].map(([name = '', open = '', inner = '', close = '']) => ({
  name,
  make: depth => open.repeat(depth) + inner + close.repeat(depth),
}));

const SIZES = [100, 900, 1_100, 6_000, 60_000];

/** The kind of the body, and the body around the deep value. */
const BODIES: readonly (readonly [name: string, target: string, head: string, tail: string])[] = [
  ['raw data', 'controllerrevisions.apps', '"revision":1,"data":', ''],
  ['an unknown field', 'configmaps', '"x":', ''],
  ['a wrong type', 'configmaps', '"data":{"k":', '}'],
  [
    'managed fields',
    'configmaps',
    '"metadata":{"name":"fuzzed","namespace":"ns","managedFields":[{"manager":"m","operation":"Update","apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":',
    '}]}',
  ],
];

/** Values that are deep, wherever a body takes any value at all. */
export async function rows(): Promise<Rows> {
  const { targets, close } = await openTargets();
  const made: Row[] = [];
  for (const [name, plural, head, tail] of BODIES) {
    const target = targets.find(({ name }) => name.startsWith(`${plural} `));
    if (target === undefined) throw new Error(`no kind ${plural}`);
    const { apiVersion, kind, metadata } = target.example();
    const start = JSON.stringify({ apiVersion, kind, metadata }).slice(0, -1);
    const prepare = (way: Way, text: string): (() => Promise<void>) =>
      target.prepare(way, `${start},${head}${text}${tail}}`);
    for (const way of WAYS)
      made.push({ name: `${name} (${way})`, shapes: DEPTHS, sizes: SIZES, prepare: text => prepare(way, text) });
  }
  return { rows: made, close };
}
