import type { Image } from './types.js';

/** Images that are nothing but a userland: what they run is the container's command. */
export const busybox: Image = {
  names: ['busybox', 'alpine'],
  entrypoint: [],
  cmd: ['sh'],
  programs: {},
  userland: true,
};

export const distribution: Image = {
  names: ['debian', 'ubuntu', 'fedora', 'bash'],
  entrypoint: [],
  cmd: ['bash'],
  programs: {},
  userland: true,
};

/** The entry point of curlimages/curl is a script that runs curl unless the first argument is a program. */
export const curl: Image = {
  names: ['curl'],
  entrypoint: ['curl-entrypoint'],
  cmd: ['curl'],
  programs: {
    async 'curl-entrypoint'(process) {
      const [first = 'curl', ...rest] = process.args.slice(1);
      const own = await process.container.program(first);
      const program = first.startsWith('-') || first.includes('://') ? undefined : own;
      if (program !== undefined) return program({ ...process, args: [first, ...rest] });
      const run = await process.container.program('curl');
      return run === undefined ? 127 : run({ ...process, args: ['curl', first, ...rest] });
    },
  },
  userland: true,
};
