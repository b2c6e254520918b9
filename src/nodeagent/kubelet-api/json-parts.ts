/** Below this a value is written whole: a rule within its chain within its table. */
const DEPTH = 6;

/** JSON.stringify of what is made of plain objects and lists, piece by piece. */
export function* jsonParts(value: unknown, depth = DEPTH): Generator<string> {
  if (depth === 0 || typeof value !== 'object' || value === null) {
    yield JSON.stringify(value) ?? 'null';
    return;
  }
  let between = '';
  if (Array.isArray(value)) {
    yield '[';
    for (const item of value) {
      yield between;
      yield* jsonParts(item, depth - 1);
      between = ',';
    }
    yield ']';
    return;
  }
  yield '{';
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined) continue;
    yield `${between}${JSON.stringify(key)}:`;
    yield* jsonParts(item, depth - 1);
    between = ',';
  }
  yield '}';
}
