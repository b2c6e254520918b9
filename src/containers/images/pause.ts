import { untilStopped } from './http-server.js';
import type { Image } from './types.js';

/** Holds a Pod open and has nothing inside, not even a shell. */
export const pause: Image = {
  names: ['pause'],
  entrypoint: ['/pause'],
  cmd: [],
  programs: { pause: untilStopped },
  userland: false,
};
