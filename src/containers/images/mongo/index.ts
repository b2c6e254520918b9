import { dockerEntrypoint } from '../docker-entrypoint.js';
import { lazy } from '../lazy.js';
import type { KnownImage } from '../types.js';

const mongod = lazy(async () => (await import('./server.js')).mongod);
const mongosh = lazy(async () => (await import('./mongosh.js')).mongosh);
const tools = { mongod, mongosh, mongo: mongosh };

const ABOUT =
  'says hello, pings and takes passwords; collections are empty and take nothing; mongosh --eval of what probes ask';

export const mongoImages: readonly KnownImage[] = [
  {
    names: ['mongo', 'mongodb-community-server'],
    about: ABOUT,
    ports: ['27017'],
    entrypoint: ['docker-entrypoint.sh'],
    cmd: ['mongod'],
    programs: { 'docker-entrypoint.sh': dockerEntrypoint('mongod'), ...tools },
    userland: true,
  },
  {
    names: ['bitnami/mongodb', 'bitnamilegacy/mongodb'],
    about: ABOUT,
    ports: ['27017'],
    entrypoint: ['/opt/bitnami/scripts/mongodb/entrypoint.sh'],
    cmd: ['/opt/bitnami/scripts/mongodb/run.sh'],
    programs: { 'entrypoint.sh': dockerEntrypoint('run.sh'), 'run.sh': mongod, ...tools },
    userland: true,
    user: 1001,
  },
];
