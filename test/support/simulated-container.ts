import {
  startContainer,
  programFinder,
  programNames,
  type ContainerOptions,
  type RunningContainer,
} from '../../src/containers/container.js';
import { createFileSystem, createTree, newDirectory, type Mount } from '../../src/containers/file-system.js';
import { ROOT, type Credentials } from '../../src/containers/credentials.js';
import { captured, inputOf } from '../../src/containers/io.js';
import { createMachine } from '../../src/containers/machine/machine.js';
import { systemMounts } from '../../src/containers/system-mounts.js';
import { createProcessTable, type ContainerContext } from '../../src/containers/process.js';
import { knownImage } from '../../src/containers/images/index.js';
import type { Image } from '../../src/containers/images/types.js';
import { createSockets } from '../../src/nodeagent/network/sockets.js';
import { createResolver } from '../../src/containers/network/resolver.js';
import { NetworkError } from '../../src/containers/network/errors.js';
import type { NetNamespace } from '../../src/containers/network/types.js';
import { realClock, type Clock } from '../../src/machinery/clock.js';

/** A network that reaches nothing but its own listeners. */
export function loopbackNetwork(address = '10.244.1.5'): NetNamespace {
  const sockets = createSockets('pod default/p');
  let port = 40000;
  const own = (to: string): boolean => to === address || to.startsWith('127.');
  return {
    addresses: [address],
    async connect(to, { protocol: proto = 'tcp' } = {}) {
      if (!own(to.address)) throw new NetworkError('EHOSTUNREACH');
      const flow = { proto, src: address, srcPort: port++, dst: to.address, dstPort: to.port };
      return sockets.accept(flow, flow, true);
    },
    async exchange(to, payload) {
      const flow = { proto: 'udp' as const, src: address, srcPort: port++, dst: to.address, dstPort: to.port };
      if (!own(to.address)) throw new NetworkError('ECONNREFUSED');
      return (await sockets.receive(flow, payload)) ?? Buffer.alloc(0);
    },
    listen: (p, handler, { protocol } = {}) => sockets.listen(p, handler, false, undefined, protocol),
    listenUdp: (p, handler) => sockets.listenUdp(p, handler),
  };
}

export function imageOf(name: string): Image {
  const image = knownImage(name.replace(/:[^/]*$/, ''));
  if (image === undefined) throw new Error(`no image ${name}`);
  return image;
}

/** A container that waits, or does what is said. */
export const busybox = (
  context: ContainerContext,
  options: Partial<Omit<ContainerOptions, 'context'>> = {},
): Promise<RunningContainer> =>
  startContainer({
    context,
    image: imageOf('busybox'),
    command: ['sleep', 'infinity'],
    args: undefined,
    env: ENV,
    workingDir: '/',
    stdin: false,
    stdinOnce: false,
    tty: false,
    ...options,
  });

export interface Fixture {
  readonly image?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
  readonly mounts?: readonly Mount[];
  readonly clock?: Clock;
  readonly network?: NetNamespace;
  readonly ports?: ContainerContext['ports'];
  readonly nameservers?: readonly string[];
  readonly credentials?: Credentials;
  readonly privileged?: boolean;
  /** Bytes. */
  readonly memoryLimit?: number;
}

export function containerContext(fixture: Fixture = {}): ContainerContext {
  const {
    image = 'busybox',
    files = {},
    mounts = [],
    clock = realClock,
    network = loopbackNetwork(),
    ports = [],
  } = fixture;
  const root = createTree({ '/etc/hostname': 'p\n', '/etc/hosts': '127.0.0.1\tlocalhost\n10.244.1.5\tp\n', ...files });
  for (const directory of ['/tmp', '/bin']) root.directories.set(directory, newDirectory());
  const processes = createProcessTable();
  const budget = createMachine(clock).budget({ memoryLimit: () => fixture.memoryLimit });
  const all: readonly Mount[] = [
    { path: '', tree: root, readOnly: false },
    ...systemMounts({ processes, clock, memory: budget.memory, hostname: 'p' }, () => all),
    ...mounts,
  ];
  const fs = createFileSystem(all, fixture.credentials, () => clock.now());
  return {
    pod: { namespace: 'default', name: 'p', uid: 'u1', nodeName: 'node-1', ip: network.addresses[0] },
    containerName: 'c',
    image,
    hostname: 'p',
    ports,
    network,
    security: {
      credentials: fixture.credentials ?? ROOT,
      privileged: fixture.privileged ?? false,
      noNewPrivileges: false,
      sysctls: {},
    },
    resolver: createResolver({
      random: () => 0.5,
      config: { nameservers: fixture.nameservers ?? [], search: [], ndots: 5, timeoutMs: 100, attempts: 1 },
      network,
      hosts: async () => (await fs.read('/etc/hosts')).toString(),
    }),
    files: fs,
    clock,
    random: () => 0.5,
    program: programFinder(imageOf(image)),
    programNames: () => programNames(imageOf(image)),
    processes,
    budget,
  };
}

export const ENV = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOSTNAME: 'p',
  HOME: '/root',
};

/** Runs a command in a container that otherwise does nothing, as `kubectl exec` would. */
export async function execute(command: readonly string[], fixture: Fixture & { stdin?: string } = {}) {
  const context = containerContext(fixture);
  const main = await busybox(context, {
    image: imageOf(fixture.image ?? 'busybox'),
    env: { ...ENV, ...fixture.env },
  });
  const stdout = captured();
  const stderr = captured();
  const exit = await main.exec(command, {
    stdout,
    stderr,
    tty: false,
    signal: new AbortController().signal,
    ...(fixture.stdin === undefined ? {} : { stdin: inputOf(fixture.stdin) }),
  });
  main.kill('KILL');
  await main.exited;
  return { stdout: stdout.text(), stderr: stderr.text(), exit };
}
