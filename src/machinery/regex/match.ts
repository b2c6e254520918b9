/** Where an expression matched: pairs of start and end by group; -1 for a group that took no part. */
export interface Match {
  readonly start: number;
  readonly end: number;
  readonly groups: readonly number[];
}
