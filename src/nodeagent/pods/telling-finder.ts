import { programFinder } from '../../containers/container.js';
import { hintOf } from '../../containers/images/not-simulated.js';
import type { Image } from '../../containers/images/types.js';
import type { Program } from '../../containers/process.js';

/** A shell's exit status where the last command was not found. */
const COMMAND_NOT_FOUND = 127;
const MAX_NAME = 80;

/** Finds programs of a container, and tells once of what it wanted and nobody simulates. */
export function createTellingFinder(image: Image, tell: (message: string) => void) {
  const find = programFinder(image);
  let missing: string | undefined;
  let told = false;
  const once = (message: string): void => {
    if (told) return;
    told = true;
    tell(message);
  };
  return {
    find: async (name: string): Promise<Program | undefined> => {
      const found = await find(name);
      if (found === undefined) missing = name.slice(0, MAX_NAME);
      return found;
    },
    tell: once,
    /** The container has ended: with a command that was not found, if its exit code says so. */
    ended(code: number): void {
      if (code === COMMAND_NOT_FOUND && missing !== undefined) once(hintOf(`command "${missing}"`));
    },
  };
}
