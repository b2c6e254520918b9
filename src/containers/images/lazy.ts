import type { Program } from '../process.js';

/** A program whose module is loaded when it is first called: most images of the catalogue are never asked for. */
export const lazy =
  (load: () => Promise<Program>): Program =>
  async process =>
    (await load())(process);
