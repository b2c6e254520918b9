import type { Entry } from './internal-key.js';

/** Entries in order of key and, of one key, the newest first. */
export interface Source {
  /** No entry comes before it. */
  readonly firstKey: Buffer;
  /** Called once, when its first key is reached: until then it holds nothing. */
  open(): Promise<Iterator<Entry>> | Iterator<Entry>;
}

interface Cursor {
  readonly rest: Iterator<Entry>;
  head: Entry;
}

/** What each key holds, in order of key, whatever file it is in. What was deleted is left out. */
export async function* newestEntries(sources: readonly Source[]): AsyncGenerator<Entry> {
  const closed = [...sources].sort((a, b) => Buffer.compare(a.firstKey, b.firstKey));
  const cursors: Cursor[] = [];
  let done: Buffer | undefined;
  for (;;) {
    let next = smallest(cursors);
    while (closed[0] !== undefined && (next === undefined || Buffer.compare(closed[0].firstKey, next.head.key) <= 0)) {
      const rest = await (closed.shift() as Source).open();
      const first = rest.next();
      if (first.done !== true) cursors.push({ rest, head: first.value });
      next = smallest(cursors);
    }
    if (next === undefined) return;
    const { head } = next;
    const after = next.rest.next();
    if (after.done === true) cursors.splice(cursors.indexOf(next), 1);
    else next.head = after.value;
    if (done !== undefined && done.equals(head.key)) continue;
    done = head.key;
    if (head.value !== undefined) yield head;
  }
}

/** There are a handful of them: a table of each level, and the newest. */
function smallest(cursors: readonly Cursor[]): Cursor | undefined {
  let best: Cursor | undefined;
  for (const cursor of cursors) if (best === undefined || compare(cursor.head, best.head) < 0) best = cursor;
  return best;
}

export const compare = (a: Entry, b: Entry): number => Buffer.compare(a.key, b.key) || b.sequence - a.sequence;
