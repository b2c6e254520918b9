import { agnhost } from './agnhost/index.js';
import type { KnownImage } from './types.js';

/** A picture of kubectl's update demo: agnhost's file server and what tells the two apart. */
const picture = (name: string): KnownImage => ({
  ...agnhost,
  names: [name],
  about: "a picture of kubectl's update demo at /data.json",
  ports: ['80'],
  cmd: ['test-webserver'],
  get files() {
    return { ...agnhost.files, '/data.json': `{\n  "image": "${name}.jpg"\n}\n` };
  },
});

export const nautilus = picture('nautilus');
export const kitten = picture('kitten');

/** A set-user-ID program of root's that says who it runs as: not root where the container may not gain privileges. */
export const nonewprivs: KnownImage = {
  names: ['nonewprivs'],
  about: 'says which user a set-user-ID program of root runs as',
  ports: [],
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
export const nonroot: KnownImage = {
  names: ['nonroot'],
  about: 'a shell as user 1234',
  ports: [],
  entrypoint: [],
  cmd: ['sh'],
  programs: {},
  userland: true,
  user: 1234,
  accounts: { 1234: { gid: 1234 } },
};
