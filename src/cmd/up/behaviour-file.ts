import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../../cluster/keys/files.js';
import { behaviourText } from '../../testing/behaviour.js';
import type { BehaviourRule } from '../../testing/behaviour-types.js';
import { text, type Plan } from './plan.js';

const FILE = 'behaviour.yaml';

/**
 * Rules that stand in a configuration, as a file that agents read, behind what the file of --behaviour says: of several rules
 * the first one counts. @returns its path; undefined: there are none
 */
export async function behaviourFileOf(plan: Plan, rules: readonly BehaviourRule[]): Promise<string | undefined> {
  if (rules.length === 0) return undefined;
  const given = text(plan.flags, 'behaviour');
  const before = given === '' ? '' : `${await readFile(given, 'utf8')}\n---\n`;
  const path = join(plan.dataDir, FILE);
  await writeFileAtomic(path, `${before}${behaviourText(rules)}\n`, 0o600);
  return path;
}
