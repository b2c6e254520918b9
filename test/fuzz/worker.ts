import { parentPort, workerData } from 'node:worker_threads';
import { probe, type Bounds, type Row } from './growth.js';
import { seededRandom } from '../../src/machinery/random.js';
import { SHAPES, type Shape } from './shapes.js';

/** What the thread is asked: which rows (a module with `rows()`), and how many shapes each row gets. */
export interface Task {
  /** Of a module that exports `rows: (next) => Promise<Rows>`. */
  readonly module: string;
  readonly seed: number;
  /** Shapes per row, chosen by the seed; undefined: all. */
  readonly shapes?: number;
  /** Rows, chosen by the seed; undefined: all. */
  readonly rows?: number;
  /** A part of the name of the rows that are wanted. */
  readonly only?: string;
  readonly bounds: Bounds;
}

export interface Rows {
  readonly rows: readonly Row[];
  close(): unknown;
}

function choose<T>(all: readonly T[], count: number | undefined, next: (n: number) => number): readonly T[] {
  if (count === undefined || count >= all.length) return all;
  const left = [...all];
  return Array.from({ length: count }, () => left.splice(next(left.length), 1)[0] as T);
}

const task = workerData as Task;
const port = parentPort;
if (port === null) throw new Error('this is a worker thread');
const next = seededRandom(task.seed).below;
const { rows: makeRows } = (await import(task.module)) as { rows(next: (n: number) => number): Promise<Rows> };
const { rows, close } = await makeRows(next);
const wanted = rows.filter(row => row.name.includes(task.only ?? ''));
let probes = 0;
for (const row of choose(wanted, task.rows, next)) {
  const shapes: readonly Shape[] = row.shapes ?? choose(SHAPES, task.shapes, next);
  for (const shape of shapes) {
    port.postMessage({ at: `${row.name}, ${shape.name}` });
    probes++;
    const finding = await probe(row, shape, task.bounds);
    if (finding !== undefined) port.postMessage({ finding });
  }
}
await close();
port.postMessage({ done: probes });
