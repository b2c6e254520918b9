import type { Container, CoreEvent, DeepReadonly, Probe } from '../machinery/types.js';

/** The kinds of probes, the word that an Event of the kubelet begins with. */
const WORDS = { startup: 'Startup', readiness: 'Readiness', liveness: 'Liveness' } as const;
export type ProbeKind = keyof typeof WORDS;

/** Events of one Pod, the oldest first. */
type Events = readonly DeepReadonly<CoreEvent>[];

/** "readiness probe /nope answers 404": what a container's probe was answered last, as the kubelet's Event says. */
export function probeProblem(
  kind: ProbeKind,
  container: DeepReadonly<Container>,
  events: Events,
): { readonly text: string; readonly answered: boolean } | undefined {
  const probe = container[`${kind}Probe`];
  if (probe === undefined) return undefined;
  const event = lastProbeEvent(kind, container.name, events);
  const what = `${kind} probe ${probeText(probe, container)}`;
  return event === undefined
    ? { text: `${what} has not succeeded yet`, answered: false }
    : { text: `${what} ${answerText(event.message ?? '', probe)}`, answered: true };
}

const lastProbeEvent = (kind: ProbeKind, container: string, events: Events): DeepReadonly<CoreEvent> | undefined =>
  events.findLast(
    ({ reason, message = '', involvedObject }) =>
      reason === 'Unhealthy' &&
      message.startsWith(`${WORDS[kind]} probe `) &&
      (involvedObject.fieldPath ?? '').endsWith(`{${container}}`),
  );

/** What is asked: a path, a port, a command. */
export function probeText(probe: DeepReadonly<Probe>, { ports = [] }: DeepReadonly<Container>): string {
  const numbered = (port: number | string | undefined): string => {
    const named = typeof port === 'string' ? ports.find(({ name }) => name === port)?.containerPort : undefined;
    return named === undefined ? String(port ?? '') : `${port ?? ''}=${named}`;
  };
  const { httpGet, tcpSocket, exec, grpc } = probe;
  if (httpGet !== undefined) return httpGet.path?.startsWith('/') === true ? httpGet.path : `/${httpGet.path ?? ''}`;
  if (tcpSocket !== undefined) return `of TCP port ${numbered(tcpSocket.port)}`;
  if (grpc !== undefined) return `of gRPC port ${grpc.port}`;
  return `\`${(exec?.command ?? []).join(' ')}\``;
}

const REFUSED = /dial tcp (\S+): (?:connect: )?connection refused/;
const STATUS = /statuscode: (\d+)/;

/** An Event's "Readiness probe failed: …" in fewer words. */
function answerText(message: string, probe: DeepReadonly<Probe>): string {
  const status = STATUS.exec(message)?.[1];
  if (status !== undefined) return `answers ${status}`;
  const refused = REFUSED.exec(message)?.[1];
  if (refused !== undefined) return `fails: nothing listens on ${refused.slice(refused.lastIndexOf(':') + 1)}`;
  if (/deadline exceeded|timed out|timeout/i.test(message)) {
    const seconds = probe.timeoutSeconds ?? 1;
    return `does not answer within ${seconds} s`;
  }
  const colon = message.indexOf(': ');
  const said = (colon < 0 ? '' : message.slice(colon + 2)).trim().split('\n', 1)[0] ?? '';
  return said === '' ? 'fails' : `fails: ${said}`;
}
