import type { ContainerContext, Process, Program } from '../process.js';
import { resolvePort } from './container-port.js';
import type { Container, DeepReadonly, Pod } from '../../machinery/types.js';
import { NetworkError } from '../network/errors.js';
import { createAnyProtocolServer } from './any-protocol-server.js';
import { answerEcho } from './echo.js';
import { admitAll, isReview } from './admit-all.js';
import { untilStopped } from './http-server.js';
import { standingIn } from './stand-in.js';
import type { Image } from './types.js';

/** As distroless images have it: "nonroot". */
const NON_ROOT = 65532;
/** Where distributions keep their tools. A program elsewhere is the image's own, whatever its name. */
const TOOL_PATHS = /^(?:\/usr(?:\/local)?)?\/s?bin\/[^/]+$/;

/**
 * The image of a container of which nothing is known but its Pod, and which therefore does what its Pod asks: it runs as
 * a user that the Pod allows, listens on every port that the Pod names and speaks what the Pod's probes speak, passes
 * exec probes, and ends where ending is its task. Commands of the common userland run as they are.
 */
export function unknownImage(
  pod: DeepReadonly<Pod>,
  spec: DeepReadonly<Container>,
  programs: Image['programs'] = {},
): Image {
  const { life, note } = lifeOf(pod, spec);
  const nonRoot = (spec.securityContext?.runAsNonRoot ?? pod.spec?.securityContext?.runAsNonRoot) === true;
  const interactive = spec.stdin === true && spec.tty === true;
  return {
    names: [],
    entrypoint: interactive ? ['sh'] : ['/entrypoint'],
    cmd: [],
    programs,
    userland: true,
    ...(nonRoot ? { user: NON_ROOT, accounts: { [NON_ROOT]: { gid: NON_ROOT } } } : {}),
    main: (command, found) => inPlaceOf(command, found, life),
    check: (command, found) => inPlaceOf(command, found, succeed),
    note: `Image "${spec.image ?? ''}" is not known here: a simulated program runs in its place, ${note}; "kubette images" lists those that are`,
  };
}

/** What a container does whose program is not known. */
export interface Life {
  readonly life: Program;
  /** Whether the Pod says so: it names ports or probes, or is a task. */
  readonly told: boolean;
  /** "and completes", "serving 80/tcp" */
  readonly note: string;
}

export function lifeOf(pod: DeepReadonly<Pod>, spec: DeepReadonly<Container>): Life {
  const task = isTask(pod, spec);
  if (task || isErrand(pod, spec)) return { life: complete, told: task, note: 'and completes' };
  return { life: process => serve(process, spec), told: isServer(spec), note: `serving ${describePorts(spec)}` };
}

/** `life` for a program of the image; for a tool or a script that a volume brought, what was found. */
const inPlaceOf =
  (command: string, found: Program | undefined, life: Program): Program =>
  process =>
    found === undefined || isOwn(command, process.container)
      ? life(process)
      : standingIn(found, { life, covers: isOwnOrMissing })(process);

const isOwn = (command: string, { files }: ContainerContext): boolean =>
  command.includes('/') && !TOOL_PATHS.test(command) && files.kind(command) !== 'file';

const isOwnOrMissing = (name: string, found: Program | undefined, container: ContainerContext): boolean =>
  found === undefined || isOwn(name, container);

/** Init containers, the containers of Jobs and of whatever else makes Pods that are not started for ever, Helm's hooks. */
function isTask(pod: DeepReadonly<Pod>, spec: DeepReadonly<Container>): boolean {
  const init = pod.spec?.initContainers?.find(c => c.name === spec.name);
  if (init !== undefined) return init.restartPolicy !== 'Always';
  if ((pod.spec?.restartPolicy ?? 'Always') === 'Always') return false;
  const { ownerReferences = [], annotations = {} } = pod.metadata;
  return annotations['helm.sh/hook'] !== undefined || ownerReferences.some(owner => owner.controller === true);
}

/** A Pod that is started once, is told what to do, and names nothing that could be asked of it. */
const isErrand = (pod: DeepReadonly<Pod>, spec: DeepReadonly<Container>): boolean =>
  (pod.spec?.restartPolicy ?? 'Always') !== 'Always' && (spec.command ?? spec.args ?? []).length > 0 && !isServer(spec);

const isServer = (spec: DeepReadonly<Container>): boolean => {
  const probes = [spec.startupProbe, spec.readinessProbe, spec.livenessProbe];
  return (spec.ports ?? []).length > 0 || probes.some(probe => probe !== undefined);
};

const complete: Program = async process => {
  await process.stdout.write(`simulated ${process.container.image}: ${process.args.join(' ')}: done\n`);
  return 0;
};

const succeed: Program = async () => 0;

/** Ports of the spec's list, and those that its probes and hooks ask. */
export function portsOf(spec: DeepReadonly<Container>): { tcp: number[]; udp: number[]; sctp: number[] } {
  const declared = spec.ports ?? [];
  const udp = new Set(declared.filter(p => p.protocol === 'UDP').map(p => p.containerPort));
  const sctp = new Set(declared.filter(p => p.protocol === 'SCTP').map(p => p.containerPort));
  const tcp = new Set(declared.filter(p => (p.protocol ?? 'TCP') === 'TCP').map(p => p.containerPort));
  const handlers = [
    spec.startupProbe,
    spec.readinessProbe,
    spec.livenessProbe,
    spec.lifecycle?.postStart,
    spec.lifecycle?.preStop,
  ];
  for (const handler of handlers) {
    for (const named of [handler?.httpGet, handler?.tcpSocket]) {
      const port = named === undefined || named.host !== undefined ? undefined : resolvePort(named.port, spec);
      if (port !== undefined) tcp.add(port);
    }
    if (handler !== undefined && 'grpc' in handler && handler.grpc !== undefined) tcp.add(handler.grpc.port);
  }
  return { tcp: [...tcp], udp: [...udp], sctp: [...sctp] };
}

/** Where a Service would look for a container that names no port. */
export const USUAL_PORT = 80;

const describePorts = (spec: DeepReadonly<Container>): string => {
  const { tcp, udp, sctp } = portsOf(spec);
  const named = [...tcp.map(p => `${p}/tcp`), ...udp.map(p => `${p}/udp`), ...sctp.map(p => `${p}/sctp`)];
  return named.length === 0 ? `${USUAL_PORT}/tcp, if it is free` : named.join(', ');
};

async function serve(process: Process, spec: DeepReadonly<Container>): Promise<number> {
  const { container, stdout } = process;
  const { tcp, udp, sctp } = portsOf(spec);
  const server = createAnyProtocolServer(
    (request, response) => {
      if (isReview(request)) admitAll(request, response);
      else answerEcho(request, response, process);
    },
    container.hostname,
    container.clock.now(),
  );
  const closers: (() => void)[] = [];
  try {
    const listen = (port: number): void =>
      void closers.push(container.network.listen(port, stream => server.accept(stream)));
    for (const port of udp) closers.push(container.network.listenUdp(port, payload => payload));
    for (const port of sctp)
      closers.push(container.network.listen(port, stream => void stream.pipe(stream), { protocol: 'sctp' }));
    for (const port of tcp) listen(port);
    if (tcp.length === 0 && udp.length === 0 && sctp.length === 0) unlessTaken(() => listen(USUAL_PORT));
    await stdout.write(`simulated ${container.image}: serving ${describePorts(spec)}\n`);
    return await untilStopped(process);
  } finally {
    for (const close of closers) close();
    server.close();
  }
}

/** A port that nobody asked for may be another container's. */
function unlessTaken(listen: () => void): void {
  try {
    listen();
  } catch (error) {
    if (!(error instanceof NetworkError && error.code === 'EADDRINUSE')) throw error;
  }
}
