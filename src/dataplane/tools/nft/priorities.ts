/** Names of priorities; at the output hook nft prints the number where it has no name for it there. */
export const PRIORITY_NAMES: readonly (readonly [number, string])[] = [
  [0, 'filter'],
  [-100, 'dstnat'],
  [100, 'srcnat'],
];
