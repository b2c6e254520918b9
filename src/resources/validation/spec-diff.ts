/**
 * What upstream shows behind "spec is immutable": a unified diff, three lines of context, of the two values as indented
 * JSON. Source: apimachinery pkg/util/diff.
 */
export function unifiedDiff(before: string, after: string): string {
  const a = before.split('\n');
  const b = after.split('\n');
  const hunks = group(edits(a, b));
  return hunks.map(hunk => print(hunk, a, b)).join('');
}

/** Diff of two values in the form JSON.stringify gives them. */
export const jsonDiff = (before: unknown, after: unknown): string =>
  unifiedDiff(JSON.stringify(before, undefined, 1), JSON.stringify(after, undefined, 1));

interface Edit {
  /** Lines [a0, a1) of the old text become lines [b0, b1) of the new one. */
  readonly a0: number;
  readonly a1: number;
  readonly b0: number;
  readonly b1: number;
}

const CONTEXT = 3;

/** Beyond this many pairs of differing lines the middle is shown as one replaced block: never block for long. */
const MAX_CELLS = 1_000_000;

function edits(a: readonly string[], b: readonly string[]): Edit[] {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let endA = a.length;
  let endB = b.length;
  while (endA > start && endB > start && a[endA - 1] === b[endB - 1]) {
    endA--;
    endB--;
  }
  if (start === endA && start === endB) return [];
  const [rows, columns] = [endA - start, endB - start];
  if (rows * columns > MAX_CELLS) return [{ a0: start, a1: endA, b0: start, b1: endB }];
  // Length of the longest common subsequence of the tails, row by row.
  const width = columns + 1;
  const table = new Uint32Array((rows + 1) * width);
  const at = (i: number, j: number): number => table[i * width + j] ?? 0;
  for (let i = rows - 1; i >= 0; i--)
    for (let j = columns - 1; j >= 0; j--)
      table[i * width + j] =
        a[start + i] === b[start + j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  const out: Edit[] = [];
  let [i, j] = [0, 0];
  while (i < rows || j < columns) {
    const [a0, b0] = [i, j];
    while ((i < rows || j < columns) && !(i < rows && j < columns && a[start + i] === b[start + j])) {
      if (j >= columns || (i < rows && at(i + 1, j) >= at(i, j + 1))) i++;
      else j++;
    }
    if (i > a0 || j > b0) out.push({ a0: start + a0, a1: start + i, b0: start + b0, b1: start + j });
    while (i < rows && j < columns && a[start + i] === b[start + j]) {
      i++;
      j++;
    }
  }
  return out;
}

/** Edits whose context would touch belong to one hunk. */
function group(all: readonly Edit[]): Edit[][] {
  const hunks: Edit[][] = [];
  for (const edit of all) {
    const last = hunks[hunks.length - 1];
    const previous = last?.[last.length - 1];
    if (last !== undefined && previous !== undefined && edit.a0 - previous.a1 <= 2 * CONTEXT) last.push(edit);
    else hunks.push([edit]);
  }
  return hunks;
}

function print(hunk: readonly Edit[], a: readonly string[], b: readonly string[]): string {
  const [first, last] = [hunk[0], hunk[hunk.length - 1]];
  if (first === undefined || last === undefined) return '';
  const a0 = Math.max(0, first.a0 - CONTEXT);
  const b0 = first.b0 - (first.a0 - a0);
  const a1 = Math.min(a.length, last.a1 + CONTEXT);
  const b1 = last.b1 + (a1 - last.a1);
  const lines = [`@@ -${a0 + 1},${a1 - a0} +${b0 + 1},${b1 - b0} @@`];
  let next = a0;
  for (const edit of hunk) {
    for (const line of a.slice(next, edit.a0)) lines.push(` ${line}`);
    for (const line of a.slice(edit.a0, edit.a1)) lines.push(`-${line}`);
    for (const line of b.slice(edit.b0, edit.b1)) lines.push(`+${line}`);
    next = edit.a1;
  }
  for (const line of a.slice(next, a1)) lines.push(` ${line}`);
  return `${lines.join('\n')}\n`;
}
