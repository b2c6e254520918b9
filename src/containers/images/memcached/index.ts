import { dockerEntrypoint } from '../docker-entrypoint.js';
import { lazy } from '../lazy.js';
import type { KnownImage } from '../types.js';

const memcached = lazy(async () => (await import('./server.js')).memcached);

const image = (names: readonly string[], programs: KnownImage['programs']): KnownImage => ({
  names,
  about: 'the text protocol, items in memory',
  ports: ['11211'],
  entrypoint: [Object.keys(programs)[0] ?? ''],
  cmd: ['memcached'],
  programs: { ...programs, memcached },
  userland: true,
  user: 11211,
});

export const memcachedImages: readonly KnownImage[] = [
  image(['memcached'], { 'docker-entrypoint.sh': dockerEntrypoint('memcached') }),
  image(['bitnami/memcached', 'bitnamilegacy/memcached'], {
    'entrypoint.sh': dockerEntrypoint('memcached'),
    'run.sh': memcached,
  }),
];
