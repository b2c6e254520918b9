import type { Tree } from '../../../containers/file-system.js';

/** A volume that is set up: a tree and where in it the volume begins, '' for its root. */
export interface SetUpVolume {
  readonly tree: Tree;
  readonly at: string;
}

export type SetUpVolumes = ReadonlyMap<string, SetUpVolume>;
