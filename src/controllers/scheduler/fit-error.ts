import type { Plugin, Rejection } from './plugin.js';

/** What was found out about a Pod that fits nowhere. */
export interface Diagnosis {
  readonly nodes: number;
  /** No node was looked at. */
  readonly preFilter?: Rejection;
  /** How far that came; undefined: all of them. */
  readonly asked?: ReadonlySet<Plugin>;
  readonly byNode: ReadonlyMap<string, Rejection>;
  /** For nodes that are not in `byNode`. */
  readonly others?: Rejection;
  /** Whose events may help. */
  readonly plugins: ReadonlySet<string>;
}

const noNode = (nodes: number): string => `0/${nodes} nodes are available`;

/** "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) …." (framework/types.go FitError) */
export function describe(diagnosis: Diagnosis, postFilter = ''): string {
  const { nodes, preFilter, byNode, others } = diagnosis;
  const parts = [`${noNode(nodes)}:`];
  if (preFilter !== undefined) parts.push(`${preFilter.reasons.join(', ')}.`);
  else {
    const counts = new Map<string, number>();
    const count = (reasons: readonly string[], times: number): void => {
      for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + times);
    };
    for (const { reasons } of byNode.values()) count(reasons, 1);
    if (others !== undefined && byNode.size < nodes) count(others.reasons, nodes - byNode.size);
    const texts = [...counts].map(([reason, times]) => `${times} ${reason}`).sort();
    if (texts.length > 0) parts.push(`${texts.join(', ')}.`);
  }
  if (postFilter !== '') parts.push(postFilter);
  return parts.join(' ');
}

/** What the API takes of an Event's message. */
const MAX_NOTE = 1024;
const CUT = ' ...';

export const truncateNote = (text: string): string => {
  const bytes = Buffer.from(text);
  return bytes.length <= MAX_NOTE ? text : bytes.subarray(0, MAX_NOTE - CUT.length).toString() + CUT;
};
