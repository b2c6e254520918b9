import { show, type Entry, type Log } from './log.js';
import { allOf, type History, type Of, type Seen, type Write } from './observation.js';

const isRefusal = (code: number): boolean => code >= 400 && code < 500;
const isSuccess = (code: number): boolean => code >= 200 && code < 300;

interface Writes {
  readonly byToken: ReadonlyMap<string, Write>;
  /** Of those of a key that delete, which an entry of the log does not name. */
  readonly deletes: ReadonlyMap<string, readonly Write[]>;
  readonly answers: ReadonlyMap<number, Of<'answered'>>;
}

function writesOf(history: History): Writes {
  const byToken = new Map<string, Write>();
  const deletes = new Map<string, Write[]>();
  for (const { write } of allOf(history, 'sent')) {
    if (write.operation !== 'delete') byToken.set(write.token, write);
    else deletes.set(write.key, [...(deletes.get(write.key) ?? []), write]);
  }
  return { byToken, deletes, answers: new Map(allOf(history, 'answered').map(one => [one.write, one])) };
}

/** What is wrong with an entry, given what was there before and what had been asked for. */
function entryProblem(entry: Entry, writes: Writes, applied: Set<number>): string | undefined {
  const { change, seen, before } = entry;
  if (!seen.whole) return 'is of two writes';
  if ((change === 'ADDED') === (before !== undefined)) return `${change}, where there was ${show(before)}`;
  if (before !== undefined && before.uid !== seen.uid) return `follows another object, ${show(before)}`;
  if (change === 'DELETED') {
    if (seen.content !== before?.content) return `is not what was deleted, ${show(before)}`;
    const asked = (writes.deletes.get(seen.key) ?? []).filter(({ uid }) => uid === seen.uid);
    return asked.some(({ id }) => !isRefusal(writes.answers.get(id)?.code ?? 0)) ? undefined : 'was deleted by nobody';
  }
  const replaced = seen.token !== before?.token;
  const write = writes.byToken.get(replaced ? seen.token : seen.patched);
  if (write === undefined || write.key !== seen.key) return 'was written by nobody';
  const { operation, id, base } = write;
  if (applied.has(id)) return `applies ${operation} ${write.token} again`;
  applied.add(id);
  const answer = writes.answers.get(id);
  if (answer !== undefined && isRefusal(answer.code)) return `${operation} was answered with ${answer.code}`;
  if (operation !== (change === 'ADDED' ? 'create' : replaced ? 'update' : 'patch')) return `is a ${operation}`;
  if (base !== undefined && base !== before?.revision) return `insisted on ${base}, and there was ${show(before)}`;
  if (operation === 'patch' && seen.team !== before?.team) return `changed what it did not name of ${show(before)}`;
  return undefined;
}

/** No write is there that nobody sent, twice, torn, after a refusal or on another revision than it asked for. */
export function checkEntries(history: History, log: Log, problems: string[]): void {
  const writes = writesOf(history);
  const applied = new Set<number>();
  for (const entry of log.entries) {
    const problem = entryProblem(entry, writes, applied);
    if (problem !== undefined) problems.push(`revision ${entry.seen.revision}: ${show(entry.seen)} ${problem}`);
  }
}

/**
 * Nothing acknowledged is missing, and revisions follow time: what was sent after something had been answered, by
 * whatever server, has a higher one; a list that was asked for then is not older.
 */
export function checkOrder(history: History, log: Log, problems: string[]): void {
  const whereApplied = new Map<string, number>();
  const deletedAt = new Map<string, number>();
  for (const { change, seen, before } of log.entries) {
    if (change === 'DELETED') deletedAt.set(seen.uid, seen.revision);
    else whereApplied.set(seen.token === before?.token ? seen.patched : seen.token, seen.revision);
  }
  const revisionOf = ({ operation, token, uid = '' }: Write): number =>
    (operation === 'delete' ? deletedAt.get(uid) : whereApplied.get(token)) ?? 0;

  /** The newest revision of which somebody had been told. */
  let newest = 0;
  const floors = new Map<number, number>();
  const listFloors = new Map<number, number>();
  const sent = new Map<number, Write>();
  let open: Write[] = [];
  for (const one of history) {
    if (one.what === 'sent') {
      floors.set(one.write.id, newest);
      sent.set(one.write.id, one.write);
      open.push(one.write);
    } else if (one.what === 'asked') listFloors.set(one.list, newest);
    else if (one.what === 'started') {
      // What a dead server was asked for has happened by now, or never will; a delete may be asked for again.
      for (const write of open) if (write.operation !== 'delete') newest = Math.max(newest, revisionOf(write));
      open = [];
    } else if (one.what === 'listed') {
      const floor = listFloors.get(one.list) ?? 0;
      if (one.revision < floor) problems.push(`${one.by} was given a list of ${one.revision} after ${floor}`);
    } else if (one.what === 'answered' && isSuccess(one.code)) {
      const write = sent.get(one.write);
      if (write === undefined) continue;
      const revision = revisionOf(write);
      const said = one.seen ?? { ...EMPTY, revision };
      if (revision === 0) problems.push(`acknowledged and missing: ${write.operation} ${write.token} of ${write.key}`);
      else if (said.revision !== revision || (one.seen !== undefined && !isSame(one.seen, log.at(revision)?.seen)))
        problems.push(`acknowledged as ${show(one.seen)}, and it is ${show(log.at(revision)?.seen)}`);
      const floor = floors.get(write.id) ?? 0;
      // Whose object was gone already has deleted nothing anew.
      if (write.operation !== 'delete' && said.revision <= floor)
        problems.push(`${write.operation} ${write.token} was given revision ${said.revision} after ${floor}`);
      newest = Math.max(newest, said.revision);
    }
  }
  for (const [id, write] of sent) {
    const revision = revisionOf(write);
    if (write.operation !== 'delete' && revision !== 0 && revision <= (floors.get(id) ?? 0))
      problems.push(`${write.operation} ${write.token} happened at ${revision}, before it was sent`);
  }
}

const EMPTY: Seen = { key: '', uid: '', revision: 0, content: '', token: '', patched: '', team: '', whole: true };

const isSame = (a: Seen, b: Seen | undefined): boolean => a.key === b?.key && a.content === b.content;
