import { inHand } from '../../machinery/work-ledger.js';
import type { Program } from '../process.js';

/** A program whose module is loaded when it is first called: most images of the catalogue are never asked for. */
export const lazy =
  (load: () => Promise<Program>): Program =>
  async process => {
    const loaded = inHand(process.container.clock, 'a program that is loaded');
    const program = await load().finally(loaded);
    return program(process);
  };
