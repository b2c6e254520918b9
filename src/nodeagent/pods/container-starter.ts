import { programNames, startContainer, type RunningContainer } from '../../containers/container.js';
import {
  createFileSystem,
  createTree,
  newDirectory,
  resolvePath,
  type Mount,
  type Tree,
} from '../../containers/file-system.js';
import type { Budget } from '../../containers/machine/machine.js';
import { systemMounts } from '../../containers/system-mounts.js';
import type { Credentials } from '../../containers/credentials.js';
import type { ProcessTable } from '../../containers/process.js';
import { behavingImage } from '../../containers/behaviour/behaving-image.js';
import { imageFor } from '../../containers/images/index.js';
import type { ImageReference } from '../../containers/images/reference.js';
import { formatResolvConf } from '../../containers/network/resolv-conf.js';
import { createResolver } from '../../containers/network/resolver.js';
import type { NetNamespace } from '../../containers/network/types.js';
import { logBytes, writableLayer } from './disk-usage.js';
import type { ContainerDisk } from './types.js';
import type { PodDependencies } from './dependencies.js';
import { expandReferences, makeEnvironment } from './environment.js';
import { hostsFile, podNames, resolverConfig } from './etc-files.js';
import { containersOf, type ReadonlyContainer, type ReadonlyPod } from './types.js';
import { createTellingFinder } from './telling-finder.js';
import { ownedNetwork } from './owned-network.js';
import { securityOf } from './security.js';
import { mountsOf } from './volumes/mounts.js';
import type { SetUpVolumes } from './volumes/set-up-volume.js';

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const DIRECTORIES = ['/bin', '/etc', '/home', '/proc', '/sys', '/usr/bin', '/var/log', '/var/run'];
const OPEN = 0o1777;

export interface StartRequest {
  readonly pod: ReadonlyPod;
  readonly spec: ReadonlyContainer;
  /** How often the container has run before. */
  readonly run: number;
  readonly image: ImageReference;
  readonly network: NetNamespace;
  readonly processes: ProcessTable;
  readonly budget: Budget;
  readonly volumes: SetUpVolumes;
  /** Files that the runtime shows of the container's cgroup, by name. */
  readonly cgroup: Tree;
  /** Tells users that the container wanted something that is not simulated. */
  readonly tell: (message: string) => void;
}

/** A started container and where its last words are read from. */
export interface Started {
  readonly running: RunningContainer;
  readonly processes: ProcessTable;
  readonly disk: () => ContainerDisk;
  readonly credentials: Credentials;
  /** What users are told of the image, when it stands for one that is not known. */
  readonly imageNote: string | undefined;
  /** The termination message, once it has ended. */
  terminationMessage(exitCode: number): Promise<string | undefined>;
}

const MAX_MESSAGE = 4096;
/** All containers of a Pod share so much of its status (kubecontainer.MaxPodTerminationMessageLogLength). */
const MAX_MESSAGES = 12 * 1024;

/**
 * Makes environment, files and resolver of a container and starts its main process.
 * @throws ContainerConfigError, StartError
 */
export async function startPodContainer(request: StartRequest, deps: PodDependencies): Promise<Started> {
  const { pod, spec, network, processes, budget, volumes } = request;
  const { nodeName, nodeIPs, clock, random, dns, sources, services, allocatable } = deps;
  const behaviour = deps.behaviours.of(pod, spec.name);
  const image = behavingImage(imageFor(request.image, pod, spec), { behaviour, spec, run: request.run });
  const names = podNames(pod, nodeName, dns.domain);
  const hostname = names.nodename;
  const { config, options } = resolverConfig(pod, dns);
  const base = { PATH, HOSTNAME: hostname, HOME: '/root', ...image.env };
  const addresses = { podIPs: network.addresses, nodeIPs };
  const env = await makeEnvironment({
    pod,
    container: spec,
    addresses,
    services: services(),
    sources,
    allocatable,
    volumes,
    base,
  });

  const root = createTree({
    ...image.files,
    '/etc/passwd': 'root:x:0:0:root:/root:/bin/sh\n',
    '/etc/os-release': `NAME="Kubette simulated ${request.image.repository}"\nID=kubette\n`,
  });
  for (const directory of DIRECTORIES) root.directories.set(directory, newDirectory());
  root.directories.set('/root', newDirectory(0o700));
  root.directories.set('/tmp', newDirectory(OPEN));
  const written = writableLayer(root);
  const security = securityOf(pod, spec, image);
  const messagePath = spec.terminationMessagePath ?? '/dev/termination-log';
  const etc = createTree({
    hostname: `${hostname}\n`,
    hosts: hostsFile(pod, names, network.addresses),
    'resolv.conf': formatResolvConf(config, options),
    message: { content: '', mode: 0o666 },
  });
  const mounts = mountsOf(pod, spec, volumes, env);
  const managed = (path: string, subPath: string): Mount[] =>
    mounts.some(m => m.path === path) ? [] : [{ path, tree: etc, subPath, file: true, readOnly: false }];
  const all: readonly Mount[] = [
    { path: '', tree: root, readOnly: spec.securityContext?.readOnlyRootFilesystem === true },
    ...systemMounts({ processes, clock, memory: budget.memory, hostname, sysctls: security.sysctls }, () => all),
    { path: '/sys/fs/cgroup', tree: request.cgroup, readOnly: true },
    ...managed('/etc/hostname', 'hostname'),
    ...managed('/etc/hosts', 'hosts'),
    ...managed('/etc/resolv.conf', 'resolv.conf'),
    ...managed(messagePath, 'message'),
    ...mounts,
  ];
  const files = createFileSystem(all, security.credentials, () => clock.now());
  const owned = ownedNetwork(network);
  const finder = createTellingFinder(image, request.tell);
  const workingDir = spec.workingDir ?? image.workingDir ?? '/';
  // The runtime makes it, as whoever it is itself.
  if (files.kind(workingDir) === undefined) root.directories.set(resolvePath('/', workingDir), newDirectory());
  const running = await startContainer({
    context: {
      pod: {
        namespace: pod.metadata.namespace ?? '',
        name: pod.metadata.name ?? '',
        uid: pod.metadata.uid ?? '',
        nodeName,
        ip: network.addresses[0],
      },
      containerName: spec.name,
      image: spec.image ?? '',
      hostname,
      ports: (spec.ports ?? []).map(port => ({
        containerPort: port.containerPort,
        protocol: (port.protocol ?? 'TCP') as 'TCP' | 'UDP' | 'SCTP',
      })),
      network: owned.network,
      security,
      resolver: createResolver({
        config,
        network,
        hosts: async () => (await files.read('/etc/hosts')).toString('utf8'),
        random,
      }),
      files,
      clock,
      random,
      program: finder.find,
      tell: finder.tell,
      programNames: () => programNames(image),
      processes,
      budget,
    },
    image,
    command: spec.command?.map(word => expandReferences(word, env)),
    args: spec.args?.map(word => expandReferences(word, env)),
    env,
    workingDir,
    stdin: spec.stdin === true,
    stdinOnce: spec.stdinOnce === true,
    tty: spec.tty === true,
  });
  // A program that throws, or is killed in the middle of it, closes nothing itself.
  void running.exited.then(code => {
    owned.closeListeners();
    finder.ended(code);
  });
  return {
    running,
    processes,
    disk: () => ({ rootfs: written(), logs: logBytes(running.logs) }),
    credentials: security.credentials,
    imageNote: image.note,
    async terminationMessage(exitCode) {
      const written = etc.files.get('/message')?.content;
      const limit = Math.min(MAX_MESSAGE, Math.floor(MAX_MESSAGES / containersOf(pod).length));
      const text = Buffer.isBuffer(written) ? written.subarray(0, limit).toString('utf8') : '';
      if (text !== '') return text;
      if (spec.terminationMessagePolicy !== 'FallbackToLogsOnError' || exitCode === 0) return undefined;
      const tail = running.logs.tail(80, 2048);
      return tail === '' ? undefined : tail;
    },
  };
}
