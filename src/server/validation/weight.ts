/** Nodes above which a value is looked at somewhere else: what a check of so many costs is milliseconds. */
const HEAVY = 10_000;
/** So much text weighs as much as one node. */
const CHARACTERS = 4096;

/**
 * Whether looking at everything in a JSON value takes long. Counts no further than it must. `characters`: so many are as
 * much work as one node; `texts`: so many are it in members of these names.
 */
export function isHeavy(
  value: unknown,
  heavy = HEAVY,
  characters = CHARACTERS,
  texts?: ReadonlyMap<string, number>,
): boolean {
  let weight = 0;
  const waiting: unknown[] = [value];
  while (waiting.length > 0) {
    const next = waiting.pop();
    weight += typeof next === 'string' ? 1 + next.length / characters : 1;
    if (weight + waiting.length > heavy) return true;
    if (typeof next !== 'object' || next === null) continue;
    if (Array.isArray(next)) {
      if (next.length > heavy) return true;
      for (const item of next) waiting.push(item);
    } else
      for (const key in next) {
        weight += key.length / characters;
        const member = (next as Record<string, unknown>)[key];
        if (typeof member === 'string') weight += 1 + member.length / (texts?.get(key) ?? characters);
        else waiting.push(member);
      }
  }
  return weight > heavy;
}
