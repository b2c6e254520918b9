import type { KnownImage } from './types.js';

/** Images that are nothing but a userland: what they run is the container's command. */
export const busybox: KnownImage = {
  names: ['busybox', 'alpine'],
  about: 'a shell and the tools of BusyBox',
  ports: [],
  entrypoint: [],
  cmd: ['sh'],
  programs: {},
  userland: true,
};

/** Distributions that people ask for less. */
const OTHERS = ['centos', 'rockylinux', 'almalinux', 'amazonlinux', 'archlinux', 'wolfi-base', 'minideb'];

export const distribution: KnownImage = {
  names: ['debian', 'ubuntu', 'fedora', 'bash', 'dnsutils', 'netshoot', 'jessie-dnsutils', ...OTHERS],
  about: 'a shell and the usual tools',
  ports: [],
  entrypoint: [],
  cmd: ['bash'],
  programs: {},
  userland: true,
};

/** The entry point of curlimages/curl is a script that runs curl unless the first argument is a program. */
export const curl: KnownImage = {
  names: ['curl'],
  about: 'curl, and a shell',
  ports: [],
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
