import type { ContainerContext, Process, Program } from '../process.js';
import { resolvePort } from './container-port.js';
import type { Container, DeepReadonly, Pod } from '../../machinery/types.js';
import { NetworkError } from '../network/errors.js';
import { createAnyProtocolServer } from './any-protocol-server.js';
import { answerEcho } from './echo.js';
import { admitAll, isReview } from './admit-all.js';
import { untilStopped } from './http-server.js';
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
  const ends = endsByItself(pod, spec);
  const life: Program = ends ? complete : process => serve(process, spec);
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
    note: `Image "${spec.image ?? ''}" is not known here: a simulated program runs in its place, ${ends ? 'and completes' : `serving ${describePorts(spec)}`}`,
  };
}

/** `life` for a program of the image; for a tool or a script that a volume brought, what was found. */
const inPlaceOf =
  (command: string, found: Program | undefined, life: Program): Program =>
  process =>
    found === undefined || isOwn(command, process.container) ? life(process) : standingIn(found, life)(process);

const isOwn = (command: string, { files }: ContainerContext): boolean =>
  command.includes('/') && !TOOL_PATHS.test(command) && files.kind(command) !== 'file';

/** Init containers and the containers of Jobs, and of whatever else makes Pods that are not started for ever. */
function endsByItself(pod: DeepReadonly<Pod>, spec: DeepReadonly<Container>): boolean {
  const init = pod.spec?.initContainers?.find(c => c.name === spec.name);
  if (init !== undefined) return init.restartPolicy !== 'Always';
  const controlled = pod.metadata.ownerReferences?.some(owner => owner.controller === true) === true;
  return controlled && (pod.spec?.restartPolicy ?? 'Always') !== 'Always';
}

const complete: Program = async process => {
  await process.stdout.write(`simulated ${process.container.image}: ${process.args.join(' ')}: done\n`);
  return 0;
};

const succeed: Program = async () => 0;

/**
 * Runs a script in which programs of the image may be called: each answers with success at once. When any was called, the
 * script's end is not the container's: `life` goes on, as those programs would have.
 */
function standingIn(script: Program, life: Program): Program {
  return async process => {
    const { container } = process;
    let called: Promise<number> | undefined;
    const code = await script({
      ...process,
      container: {
        ...container,
        async program(name) {
          const found = await container.program(name);
          if (found !== undefined && !isOwn(name, container)) return found;
          return async () => {
            called ??= life(process);
            // A life that failed is told by the wait for it below.
            called.catch(() => undefined);
            return 0;
          };
        },
      },
    });
    return called === undefined ? code : called;
  };
}

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
