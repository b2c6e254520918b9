import { groupOf, type Definition } from './definition.js';

/** Definitions by group, so that what is asked within one group costs nothing in the others. */
export interface GroupMembers {
  /** What a definition says now; undefined: it is gone. */
  note(name: string, definition: Definition | undefined): void;
  /** Names of the definitions of a group. */
  of(group: string): Iterable<string>;
}

export function createGroupMembers(): GroupMembers {
  const members = new Map<string, Set<string>>();
  const groups = new Map<string, string>();
  return {
    note(name, definition) {
      const before = groups.get(name);
      const now = definition && groupOf(definition);
      if (before === now) return;
      if (before !== undefined) {
        const beside = members.get(before);
        beside?.delete(name);
        if (beside?.size === 0) members.delete(before);
        groups.delete(name);
      }
      if (now === undefined) return;
      groups.set(name, now);
      const beside = members.get(now);
      if (beside === undefined) members.set(now, new Set([name]));
      else beside.add(name);
    },
    of: group => members.get(group) ?? [],
  };
}
