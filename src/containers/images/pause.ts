import { untilStopped } from './http-server.js';
import type { KnownImage } from './types.js';

/** Holds a Pod open and has nothing inside, not even a shell. */
export const pause: KnownImage = {
  names: ['pause'],
  about: 'holds a Pod open; no shell',
  ports: [],
  entrypoint: ['/pause'],
  cmd: [],
  programs: { pause: untilStopped },
  userland: false,
};
