import { agnhost } from './agnhost/index.js';
import type { Image } from './types.js';

/** A picture of kubectl's update demo: agnhost's file server and what tells the two apart. */
const picture = (name: string): Image => ({
  ...agnhost,
  names: [name],
  cmd: ['test-webserver'],
  get files() {
    return { ...agnhost.files, '/data.json': `{\n  "image": "${name}.jpg"\n}\n` };
  },
});

export const nautilus = picture('nautilus');
export const kitten = picture('kitten');

/** A set-user-ID program of root's that says who it runs as: not root where the container may not gain privileges. */
export const nonewprivs: Image = {
  names: ['nonewprivs'],
  entrypoint: [],
  cmd: ['nnp'],
  programs: {
    async nnp({ container: { security }, stdout }) {
      const uid = security.noNewPrivileges ? security.credentials.uid : 0;
      await stdout.write(`Effective uid: ${uid}\n`);
      return 0;
    },
  },
  userland: true,
};

/** An image whose user is not root. */
export const nonroot: Image = {
  names: ['nonroot'],
  entrypoint: [],
  cmd: ['sh'],
  programs: {},
  userland: true,
  user: 1234,
  accounts: { 1234: { gid: 1234 } },
};
