/** A question to put to each item of a list in turn: whether an equal one came before it. In one pass, however long the list. */
export function createRepeatCheck<T>(): (item: T) => boolean {
  const seen = new Set<T>();
  return item => seen.size === seen.add(item).size;
}
