import { dockerEntrypoint } from '../docker-entrypoint.js';
import { lazy } from '../lazy.js';
import type { Program } from '../../process.js';
import type { KnownImage } from '../types.js';

const etcd = lazy(async () => (await import('./server.js')).etcd);
const etcdctl = lazy(async () => (await import('./etcdctl.js')).etcdctl);

/** bitnami's probe. */
const healthcheck: Program = process => etcdctl({ ...process, args: ['etcdctl', 'endpoint', 'health'] });

const bitnamiRun: Program = async process => {
  const { env, stdout } = process;
  const open = /^(?:yes|true|1)$/i.test(env['ALLOW_NONE_AUTHENTICATION'] ?? '');
  if ((env['ETCD_ROOT_PASSWORD'] ?? '') === '' && !open) {
    await stdout.write(
      'ERROR ==> The ETCD_ROOT_PASSWORD environment variable is empty or not set. Set the environment variable ALLOW_NONE_AUTHENTICATION=yes to allow a blank password. This is only recommended for development environments.\n',
    );
    return 1;
  }
  return etcd({ ...process, args: ['etcd', ...process.args.slice(1)] });
};

const ABOUT =
  "one member that keeps keys in memory: /health, /version, /metrics and gRPC's JSON gateway; no gRPC, no TLS";

export const etcdImages: readonly KnownImage[] = [
  {
    names: ['etcd'],
    about: ABOUT,
    ports: ['2379', '2380'],
    entrypoint: [],
    cmd: ['etcd'],
    programs: { etcd, etcdctl },
    userland: true,
  },
  {
    names: ['bitnami/etcd', 'bitnamilegacy/etcd'],
    about: `${ABOUT}; wants ETCD_ROOT_PASSWORD or ALLOW_NONE_AUTHENTICATION`,
    ports: ['2379', '2380'],
    entrypoint: ['/opt/bitnami/scripts/etcd/entrypoint.sh'],
    cmd: ['/opt/bitnami/scripts/etcd/run.sh'],
    programs: {
      'entrypoint.sh': dockerEntrypoint('run.sh'),
      'run.sh': bitnamiRun,
      'healthcheck.sh': healthcheck,
      etcd,
      etcdctl,
    },
    userland: true,
    user: 1001,
  },
];
