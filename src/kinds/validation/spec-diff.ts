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

/** Lines that come up more often than this in a long text tell nothing of where one is. */
const POPULAR_PERCENT = 100;
const LONG_TEXT = 200;

/**
 * How many pairs of lines are looked at. What a person changes takes a few thousand; of objects made to differ all over
 * the rest is shown as taken out and put in whole.
 */
const MAX_STEPS = 1_000_000;

interface Match {
  readonly a: number;
  readonly b: number;
  readonly size: number;
}

/** Where each line is in the text; popular ones left out. */
function indexLines(lines: readonly string[]): ReadonlyMap<string, readonly number[]> {
  const places = new Map<string, number[]>();
  lines.forEach((line, i) => {
    const known = places.get(line);
    if (known === undefined) places.set(line, [i]);
    else known.push(i);
  });
  const most = lines.length < LONG_TEXT ? Infinity : Math.floor(lines.length / POPULAR_PERCENT) + 1;
  for (const [line, known] of places) if (known.length > most) places.delete(line);
  return places;
}

/**
 * The longest block that both texts have, then the longest on either side of it, and so on: not the shortest diff, but
 * the one that upstream's library shows. Source: Python's difflib, by way of github.com/pmezard/go-difflib.
 */
function matches(a: readonly string[], b: readonly string[]): Match[] {
  const places = indexLines(b);
  let left = MAX_STEPS;
  const longest = (a0: number, a1: number, b0: number, b1: number): Match => {
    let best: Match = { a: a0, b: b0, size: 0 };
    let lengths = new Map<number, number>();
    for (let i = a0; i < a1; i++) {
      const next = new Map<number, number>();
      left--;
      for (const j of places.get(a[i] ?? '') ?? []) {
        if (--left < 0) return best;
        if (j < b0) continue;
        if (j >= b1) break;
        const size = (lengths.get(j - 1) ?? 0) + 1;
        next.set(j, size);
        if (size > best.size) best = { a: i - size + 1, b: j - size + 1, size };
      }
      lengths = next;
    }
    // Popular lines around it belong to it.
    let { a: i, b: j, size } = best;
    while (i > a0 && j > b0 && a[i - 1] === b[j - 1]) {
      i--;
      j--;
      size++;
    }
    while (i + size < a1 && j + size < b1 && a[i + size] === b[j + size]) size++;
    return { a: i, b: j, size };
  };
  const out: Match[] = [];
  const walk = (a0: number, a1: number, b0: number, b1: number): void => {
    const match = longest(a0, a1, b0, b1);
    if (match.size === 0) return;
    if (a0 < match.a && b0 < match.b) walk(a0, match.a, b0, match.b);
    out.push(match);
    const [a2, b2] = [match.a + match.size, match.b + match.size];
    if (a2 < a1 && b2 < b1) walk(a2, a1, b2, b1);
  };
  walk(0, a.length, 0, b.length);
  return out;
}

function edits(a: readonly string[], b: readonly string[]): Edit[] {
  const out: Edit[] = [];
  let [i, j] = [0, 0];
  for (const match of [...matches(a, b), { a: a.length, b: b.length, size: 0 }]) {
    if (i < match.a || j < match.b) out.push({ a0: i, a1: match.a, b0: j, b1: match.b });
    i = match.a + match.size;
    j = match.b + match.size;
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

/** An empty range begins at the line before it, a single line needs no length. */
const range = (start: number, stop: number): string =>
  stop - start === 1 ? `${start + 1}` : `${stop === start ? start : start + 1},${stop - start}`;

function print(hunk: readonly Edit[], a: readonly string[], b: readonly string[]): string {
  const [first, last] = [hunk[0], hunk[hunk.length - 1]];
  if (first === undefined || last === undefined) return '';
  const a0 = Math.max(0, first.a0 - CONTEXT);
  const b0 = first.b0 - (first.a0 - a0);
  const a1 = Math.min(a.length, last.a1 + CONTEXT);
  const b1 = last.b1 + (a1 - last.a1);
  const lines = [`@@ -${range(a0, a1)} +${range(b0, b1)} @@`];
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
