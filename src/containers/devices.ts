import { randomBytes } from 'node:crypto';
import { FileError } from './file-error.js';
import { CHUNK, emptyInput, nullOutput, type Input, type Output } from './io.js';
import { createTree, type Device, type FileEntry, type Tree } from './tree.js';

/** Shared by all readers, none of which changes what it reads. */
const ZEROS = Buffer.alloc(CHUNK);

export function deviceInput(device: Device): Input {
  switch (device) {
    case 'null':
      return emptyInput;
    case 'zero':
    case 'full':
      return { read: () => Promise.resolve(ZEROS), description: `/dev/${device}` };
    case 'random':
      return { read: () => Promise.resolve(randomBytes(CHUNK)), description: '/dev/urandom' };
    case 'tty':
      throw new FileError('ENXIO');
  }
}

export function deviceOutput(device: Device): Output {
  if (device === 'tty') throw new FileError('ENXIO');
  if (device !== 'full') return { ...nullOutput, description: `/dev/${device}` };
  return {
    write() {
      throw new FileError('ENOSPC');
    },
    description: '/dev/full',
  };
}

/** Major and minor numbers (Documentation/admin-guide/devices.txt). */
export const DEVICE_NUMBERS: Readonly<Record<string, readonly [number, number]>> = {
  null: [1, 3],
  zero: [1, 5],
  full: [1, 7],
  random: [1, 8],
  urandom: [1, 9],
  tty: [5, 0],
};

const DEVICES: readonly (readonly [string, Device])[] = [
  ['null', 'null'],
  ['zero', 'zero'],
  ['full', 'full'],
  ['random', 'random'],
  ['urandom', 'random'],
  ['tty', 'tty'],
];

/** /dev of a container, as the runtime makes it. */
export function createDeviceTree(): Tree {
  const tree = createTree({}, { tmpfs: true, capacity: 64 * 1024 * 1024 });
  const owner = { uid: 0, gid: 0 };
  for (const [name, device] of DEVICES) {
    const entry: FileEntry = { content: Buffer.alloc(0), device, mode: 0o666, ...owner };
    tree.files.set(`/${name}`, entry);
  }
  for (const [name, target] of [
    ['fd', '/proc/self/fd'],
    ['stdin', '/proc/self/fd/0'],
    ['stdout', '/proc/self/fd/1'],
    ['stderr', '/proc/self/fd/2'],
  ] as const)
    tree.links.set(`/${name}`, { target, mode: 0o777, ...owner });
  for (const name of ['shm', 'mqueue']) tree.directories.set(`/${name}`, { mode: 0o1777, ...owner });
  tree.directories.set('/pts', { mode: 0o755, ...owner });
  return tree;
}
