import { dockerEntrypoint } from '../docker-entrypoint.js';
import { lazy } from '../lazy.js';
import type { KnownImage } from '../types.js';

const serve = lazy(async () => (await import('./server.js')).zookeeper);
const zkServer = lazy(async () => (await import('./tools.js')).zkServer(serve));

const ABOUT =
  'four letter words (those of ZOO_4LW_COMMANDS_WHITELIST), sessions and the admin server; it keeps no znodes';

export const zookeeperImages: readonly KnownImage[] = [
  {
    names: ['zookeeper'],
    about: ABOUT,
    ports: ['2181', '8080'],
    entrypoint: ['/docker-entrypoint.sh'],
    cmd: ['zkServer.sh', 'start-foreground'],
    programs: { 'docker-entrypoint.sh': dockerEntrypoint('zkServer.sh'), 'zkServer.sh': zkServer },
    userland: true,
  },
  {
    names: ['bitnami/zookeeper', 'bitnamilegacy/zookeeper'],
    about: ABOUT,
    ports: ['2181', '8080'],
    entrypoint: ['/opt/bitnami/scripts/zookeeper/entrypoint.sh'],
    cmd: ['/opt/bitnami/scripts/zookeeper/run.sh'],
    env: { ZOO_4LW_COMMANDS_WHITELIST: 'srvr, mntr, ruok' },
    programs: {
      'entrypoint.sh': dockerEntrypoint('run.sh'),
      'setup.sh': async () => 0,
      'run.sh': serve,
      'zkServer.sh': zkServer,
    },
    userland: true,
    user: 1001,
  },
  {
    names: ['cp-zookeeper'],
    about: ABOUT,
    ports: ['2181', '8080'],
    entrypoint: [],
    cmd: ['/etc/confluent/docker/run'],
    programs: { run: serve },
    userland: true,
    user: 1000,
  },
];
