import { programFinder, startContainer, type RunningContainer } from '../containers/container.js';
import { createFileSystem, createTree, type Tree } from '../containers/file-system.js';
import { createProcessTable } from '../containers/process.js';
import { imageFor } from '../images/index.js';
import type { ImageReference } from '../images/reference.js';
import { createResolver, formatResolvConf } from '../network/resolver.js';
import type { NetNamespace } from '../network/types.js';
import type { PodDependencies } from './dependencies.js';
import { expandReferences, makeEnvironment } from './environment.js';
import { hostsFile, podHostname, resolverConfig } from './etc-files.js';
import type { ReadonlyContainer, ReadonlyPod } from './types.js';
import { mountsOf } from './volumes.js';

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const DIRECTORIES = ['/bin', '/dev', '/etc', '/home', '/proc', '/root', '/tmp', '/usr/bin', '/var/log', '/var/run'];

export interface StartRequest {
  readonly pod: ReadonlyPod;
  readonly spec: ReadonlyContainer;
  readonly image: ImageReference;
  readonly network: NetNamespace;
  readonly trees: ReadonlyMap<string, Tree>;
}

/** A started container and where its last words are read from. */
export interface Started {
  readonly running: RunningContainer;
  /** The termination message, once it has ended. */
  terminationMessage(exitCode: number): Promise<string | undefined>;
}

const MAX_MESSAGE = 4096;

/**
 * Makes environment, files and resolver of a container and starts its main process.
 * @throws ContainerConfigError, StartError
 */
export async function startPodContainer(request: StartRequest, deps: PodDependencies): Promise<Started> {
  const { pod, spec, network, trees } = request;
  const { nodeName, nodeIP, clock, random, dns, sources, services, allocatable } = deps;
  const image = imageFor(request.image.repository);
  const hostname = podHostname(pod, nodeName);
  const { config, options } = resolverConfig(pod, dns);
  const base = { PATH, HOSTNAME: hostname, HOME: '/root', ...image.env };
  const addresses = { podIP: network.address, nodeIP };
  const env = await makeEnvironment({
    pod,
    container: spec,
    addresses,
    services: services(),
    sources,
    allocatable,
    base,
  });

  const root = createTree({
    ...image.files,
    '/etc/hostname': `${hostname}\n`,
    '/etc/hosts': hostsFile(pod, hostname, network.address, dns.domain),
    '/etc/resolv.conf': formatResolvConf(config, options),
    '/etc/passwd': 'root:x:0:0:root:/root:/bin/sh\n',
    '/etc/os-release': `NAME="Kubette simulated ${request.image.repository}"\nID=kubette\n`,
  });
  for (const directory of DIRECTORIES) root.directories.add(directory);
  const mounts = mountsOf(pod, spec, trees, env);
  const files = createFileSystem([{ path: '', tree: root, readOnly: false }, ...mounts]);
  const running = await startContainer({
    context: {
      pod: {
        namespace: pod.metadata.namespace ?? '',
        name: pod.metadata.name ?? '',
        uid: pod.metadata.uid ?? '',
        nodeName,
        ip: network.address,
      },
      containerName: spec.name,
      image: spec.image ?? '',
      hostname,
      ports: (spec.ports ?? []).map(port => ({
        containerPort: port.containerPort,
        protocol: (port.protocol ?? 'TCP') as 'TCP' | 'UDP' | 'SCTP',
      })),
      network,
      resolver: createResolver({
        config,
        network,
        hosts: async () => (await files.read('/etc/hosts')).toString('utf8'),
      }),
      files,
      clock,
      random,
      program: programFinder(image),
      processes: createProcessTable(),
    },
    image,
    command: spec.command?.map(word => expandReferences(word, env)),
    args: spec.args?.map(word => expandReferences(word, env)),
    env,
    workingDir: spec.workingDir ?? image.workingDir ?? '/',
    stdin: spec.stdin === true,
    stdinOnce: spec.stdinOnce === true,
    tty: spec.tty === true,
  });
  return {
    running,
    async terminationMessage(exitCode) {
      const path = spec.terminationMessagePath ?? '/dev/termination-log';
      if (files.kind(path) === 'file') {
        const text = (await files.read(path)).toString('utf8').slice(-MAX_MESSAGE);
        if (text !== '') return text;
      }
      if (spec.terminationMessagePolicy !== 'FallbackToLogsOnError' || exitCode === 0) return undefined;
      const text = running.logs.tail(80, 2048);
      return text === '' ? undefined : text;
    },
  };
}
