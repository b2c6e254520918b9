import { checkInformers, checkLists, checkWatchers } from './check-observers.js';
import { checkEntries, checkOrder } from './check-writes.js';
import { createLog } from './log.js';
import type { History } from './observation.js';

/**
 * What is wrong with a history: nothing, where a store that never loses or doubles anything could have given it. What
 * happened is what those who watched everything were told; the rest must agree with it.
 */
export function problemsOf(history: History): string[] {
  const problems: string[] = [];
  const log = createLog(history, problems);
  checkEntries(history, log, problems);
  checkOrder(history, log, problems);
  checkLists(history, log, problems);
  checkWatchers(history, log, problems);
  checkInformers(history, log, problems);
  return problems;
}
