import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Test } from 'tap';
import { ROOT } from './root.js';

type Score = Readonly<Record<string, unknown>>;

/**
 * What was found, against what test/scores/NAME.json says. The file is written anew before the test fails, so that the
 * difference shows what a change won or lost; commit it when that is what the change is for. Parts of the file that
 * were not looked at, as a kubectl that is not here, stay.
 */
export function checkScore(t: Test, name: string, found: Score, folder = join(ROOT, 'test/scores')): void {
  const file = join(folder, `${name}.json`);
  const before = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Score) : {};
  const now = Object.fromEntries(Object.entries({ ...before, ...found }).sort(([a], [b]) => (a < b ? -1 : 1)));
  if (JSON.stringify(before) !== JSON.stringify(now)) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${JSON.stringify(now, undefined, 2)}\n`);
  }
  t.same(now, before, `test/scores/${name}.json said what was found; where it did not, it does now`);
}
