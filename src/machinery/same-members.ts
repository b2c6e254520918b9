/** Whether two lists have the same members in the same order: the same objects, not alike ones. */
export const sameMembers = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a === b || (a.length === b.length && a.every((one, i) => one === b[i]));
