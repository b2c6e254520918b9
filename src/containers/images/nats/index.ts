import { dockerEntrypoint } from '../docker-entrypoint.js';
import { lazy } from '../lazy.js';
import type { KnownImage } from '../types.js';

const server = lazy(async () => (await import('./server.js')).natsServer);

export const nats: KnownImage = {
  names: ['nats'],
  about: 'core NATS: subjects, wildcards, queue groups; /healthz and /varz; no JetStream',
  ports: ['4222', '8222'],
  entrypoint: ['docker-entrypoint.sh'],
  cmd: ['nats-server', '--config', '/etc/nats/nats-server.conf'],
  programs: { 'docker-entrypoint.sh': dockerEntrypoint('nats-server'), 'nats-server': server },
  userland: true,
};
