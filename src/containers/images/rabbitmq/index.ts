import { dockerEntrypoint } from '../docker-entrypoint.js';
import { lazy } from '../lazy.js';
import type { KnownImage } from '../types.js';

const server = lazy(async () => (await import('./server.js')).rabbitmqServer);
const tool = lazy(async () => (await import('./tools.js')).rabbitmqTool);

const tools = { 'rabbitmq-diagnostics': tool, rabbitmqctl: tool, 'rabbitmq-queues': tool, 'rabbitmq-server': server };
const ABOUT = 'AMQP 0-9-1 up to open channels, as no queue is kept; the probes of its tools, metrics';

export const rabbitmqImages: readonly KnownImage[] = [
  {
    names: ['rabbitmq'],
    about: `${ABOUT}; management where the tag says so`,
    ports: ['5672', '15672 (management)', '15692', '25672', '4369'],
    entrypoint: ['docker-entrypoint.sh'],
    cmd: ['rabbitmq-server'],
    programs: { 'docker-entrypoint.sh': dockerEntrypoint('rabbitmq-server'), ...tools },
    userland: true,
  },
  {
    names: ['bitnami/rabbitmq', 'bitnamilegacy/rabbitmq'],
    about: `${ABOUT}, management`,
    ports: ['5672', '15672', '15692', '25672', '4369'],
    entrypoint: ['/opt/bitnami/scripts/rabbitmq/entrypoint.sh'],
    cmd: ['/opt/bitnami/scripts/rabbitmq/run.sh'],
    env: { RABBITMQ_USERNAME: 'user', RABBITMQ_PASSWORD: 'bitnami' },
    programs: { 'entrypoint.sh': dockerEntrypoint('run.sh'), 'run.sh': server, ...tools },
    userland: true,
    user: 1001,
  },
];
