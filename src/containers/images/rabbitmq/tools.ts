import { NetworkError } from '../../network/errors.js';
import type { Process, Program } from '../../process.js';
import { dial } from '../connections.js';
import { notSimulated } from '../not-simulated.js';
import { hasManagement, PORTS, RABBIT_VERSION, usersOf } from './settings.js';

/** As sysexits.h: the server is not there. */
const UNAVAILABLE = 69;

/** What a command says before it asks, unless it is quiet, and what of a node that runs. */
interface Command {
  readonly asks?: string;
  readonly says: (process: Process, node: string) => string;
}

const listeners = ({ container }: Process): string =>
  [PORTS.amqp, PORTS.distribution, ...(hasManagement(container.image) ? [PORTS.management] : [])].join(', ');

const COMMANDS: Readonly<Record<string, Command>> = {
  ping: {
    asks: 'Will ping NODE. This only checks if the OS process is running and registered with epmd. Timeout: 60000 ms.',
    says: () => 'Ping succeeded',
  },
  check_running: {
    asks: 'Checking if RabbitMQ is running on node NODE ...',
    says: (_, node) => `RabbitMQ on node ${node} is fully booted and running`,
  },
  check_local_alarms: {
    asks: 'Asking node NODE to report any local resource alarms ...',
    says: (_, node) => `Node ${node} reported no local alarms`,
  },
  check_alarms: {
    asks: 'Asking node NODE to report any known resource alarms ...',
    says: (_, node) => `Node ${node} reported no alarms, local or clusterwide`,
  },
  check_port_connectivity: {
    asks: 'Testing TCP connections to all active listeners on node NODE ...',
    says: (process, node) => `Successfully connected to ports ${listeners(process)} on node ${node}.`,
  },
  check_virtual_hosts: {
    asks: 'Checking if all vhosts are running on node NODE ...',
    says: (_, node) => `Node ${node} reported all vhosts as running`,
  },
  await_startup: { says: () => '' },
  status: {
    asks: 'Status of node NODE ...',
    says: process =>
      `Runtime\n\nOS PID: ${process.pid}\nRabbitMQ version: ${RABBIT_VERSION} (simulated)\n\nAlarms\n\n(none)\n\nListeners\n\nPorts: ${listeners(process)}`,
  },
  cluster_status: {
    asks: 'Cluster status of node NODE ...',
    says: (_, node) => `Basics\n\nCluster name: ${node}\n\nRunning Nodes\n\n${node}`,
  },
  list_users: {
    asks: 'Listing users ...',
    says: ({ env }) => ['user\ttags', ...[...usersOf(env).keys()].map(user => `${user}\t[administrator]`)].join('\n'),
  },
  list_vhosts: { asks: 'Listing vhosts ...', says: () => 'name\n/' },
  list_queues: { asks: 'Listing queues for vhost / ...', says: () => 'name\tmessages' },
  list_connections: { asks: 'Listing connections ...', says: () => '' },
  server_version: { asks: 'Asking node NODE for its RabbitMQ version...', says: () => RABBIT_VERSION },
};

const NOT_THERE = (node: string): string =>
  `Error: unable to perform an operation on node '${node}'. Please see diagnostics information and suggestions below.\n\n * Target node is unreachable or not running\n`;

/** rabbitmq-diagnostics, rabbitmqctl and their like: commands that ask a node how it is. */
export const rabbitmqTool: Program = async process => {
  const { args, stdout, stderr, container } = process;
  const words = args.slice(1).filter(word => !word.startsWith('-'));
  const quiet = args.some(word => word === '-q' || word === '--quiet' || word === '-s' || word === '--silent');
  const node = `rabbit@${container.hostname}`;
  const [name = ''] = words;
  if (name === 'version' || args.includes('--version')) {
    await stdout.write(`${RABBIT_VERSION}\n`);
    return 0;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined && name !== 'check_port_listener')
    return notSimulated(process, `command "${name.slice(0, 64)}"`);
  if (!quiet && command?.asks !== undefined) await stdout.write(`${command.asks.replace('NODE', node)}\n`);
  const answers = async (port: number): Promise<boolean> => {
    try {
      (await dial(process, '127.0.0.1', port)).stream.destroy();
      return true;
    } catch (error) {
      if (error instanceof NetworkError) return false;
      throw error;
    }
  };
  if (!(await answers(PORTS.distribution))) {
    await stderr.write(NOT_THERE(node));
    return UNAVAILABLE;
  }
  if (command === undefined) {
    const port = Number(words[1]);
    if (Number.isInteger(port) && port > 0 && port < 65_536 && (await answers(port))) {
      await stdout.write(`A listener for port ${port} is running on node ${node}.\n`);
      return 0;
    }
    await stderr.write(`Error:\nNo listener for port ${words[1]?.slice(0, 16) ?? ''} is active on node ${node}\n`);
    return UNAVAILABLE;
  }
  const said = command.says(process, node);
  if (said !== '') await stdout.write(`${said}\n`);
  return 0;
};
