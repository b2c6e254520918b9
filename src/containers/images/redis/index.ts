import { dockerEntrypoint } from '../docker-entrypoint.js';
import { lazy } from '../lazy.js';
import type { Program } from '../../process.js';
import type { KnownImage } from '../types.js';

const server = lazy(async () => (await import('./server.js')).redisServer);
const cli = lazy(async () => (await import('./cli.js')).redisCli);

const isSettings = (word: string): boolean => word.endsWith('.conf');
const ABOUT = 'a RESP server that keeps strings, lists, hashes, sets and channels in memory, and its client';

/** bitnami's: the password comes from the environment, and there must be one unless it is said that there need not be. */
const bitnamiRun =
  (name: string): Program =>
  async process => {
    const { env, stdout, args } = process;
    const password = env['REDIS_PASSWORD'] ?? env['VALKEY_PASSWORD'] ?? '';
    const allowed = /^(yes|true|1)$/i.test(env['ALLOW_EMPTY_PASSWORD'] ?? '');
    if (password === '' && !allowed) {
      const variable = name === 'redis-server' ? 'REDIS_PASSWORD' : 'VALKEY_PASSWORD';
      await stdout.write(
        `ERROR ==> The ${variable} environment variable is empty or not set. Set the environment variable ALLOW_EMPTY_PASSWORD=yes to allow the container to be started with blank passwords. This is recommended only for development.\n`,
      );
      return 1;
    }
    const port = env['REDIS_PORT_NUMBER'] ?? env['VALKEY_PORT_NUMBER'] ?? '6379';
    return server({
      ...process,
      args: [name, '--port', port, ...(password === '' ? [] : ['--requirepass', password]), ...args.slice(1)],
    });
  };

const ofFamily = (family: 'redis' | 'valkey', names: readonly string[]): KnownImage => ({
  names,
  about: ABOUT,
  ports: ['6379'],
  entrypoint: ['docker-entrypoint.sh'],
  cmd: [`${family}-server`],
  workingDir: '/data',
  programs: {
    'docker-entrypoint.sh': dockerEntrypoint(`${family}-server`, isSettings),
    'redis-server': server,
    'redis-cli': cli,
    ...(family === 'valkey' ? { 'valkey-server': server, 'valkey-cli': cli } : {}),
  },
  userland: true,
});

const bitnami = (family: 'redis' | 'valkey'): KnownImage => ({
  ...ofFamily(family, [`bitnami/${family}`, `bitnamilegacy/${family}`]),
  about: `${ABOUT}; wants ${family === 'redis' ? 'REDIS' : 'VALKEY'}_PASSWORD or ALLOW_EMPTY_PASSWORD`,
  entrypoint: [`/opt/bitnami/scripts/${family}/entrypoint.sh`],
  cmd: [`/opt/bitnami/scripts/${family}/run.sh`],
  user: 1001,
  programs: {
    ...ofFamily(family, []).programs,
    'entrypoint.sh': dockerEntrypoint('run.sh'),
    'run.sh': bitnamiRun(`${family}-server`),
  },
});

export const redisImages: readonly KnownImage[] = [
  ofFamily('redis', ['redis']),
  ofFamily('valkey', ['valkey']),
  bitnami('redis'),
  bitnami('valkey'),
];
