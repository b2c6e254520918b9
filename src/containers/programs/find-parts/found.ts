import type { FileStat } from '../../file-system.js';

export interface Found {
  readonly path: string;
  readonly start: string;
  readonly stat: FileStat;
  depth: number;
}

/** Whether a file is meant, or, of an action, whether it worked. */
export type Test = (found: Found) => boolean | Promise<boolean>;
