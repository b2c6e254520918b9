/** What is asked of a definition: all of it when it is new, and of a changed one what the old one did not break. */
export interface Leniency {
  readonly established: boolean;
  readonly withoutSchema: boolean;
  readonly unknownTypes: boolean;
  readonly notStructural: boolean;
  readonly unprunedDefaults: boolean;
  readonly setsOfMaps: boolean;
  readonly looseMapKeys: boolean;
  readonly unknownReviewVersions: boolean;
  readonly badCaBundle: boolean;
  /** Names of versions ("": all) that may keep more selectable fields than there may be. */
  readonly manySelectable: ReadonlySet<string>;
  /** Versions whose rules may cost what they cost. */
  readonly sameSchema: ReadonlySet<string>;
}

const NONE: ReadonlySet<string> = new Set();

export const STRICT: Leniency = {
  established: false,
  withoutSchema: false,
  unknownTypes: false,
  notStructural: false,
  unprunedDefaults: false,
  setsOfMaps: false,
  looseMapKeys: false,
  unknownReviewVersions: false,
  badCaBundle: true,
  manySelectable: NONE,
  sameSchema: NONE,
};
