import type { NetworkStep } from '../containers/network/types.js';
import { isNodeReady } from '../machinery/node-ready.js';
import type { DeepReadonly, Service } from '../machinery/types.js';
import type { TraceReport } from '../nodeagent/kubelet-api/trace-report.js';
import type { ReadonlyServicePort } from './service-problem.js';
import { type Facts, type ListeningPorts, ofObject, type Reason, serviceName } from './types.js';

interface Asked {
  readonly service: DeepReadonly<Service>;
  readonly port: ReadonlyServicePort;
}

/** No rule stopped it: it came to somebody who does not listen, or to an address that nobody has. */
export function addressReason(report: TraceReport, facts: Facts, asked?: Asked): Reason | undefined {
  const { connection } = report;
  if (connection?.error === undefined) return undefined;
  const { code, message } = connection.error;
  const end = endOf(connection.steps);
  const address = end?.address ?? connection.to.address;
  // Its node or the Pod itself may be gone, whoever refuses.
  const pod = facts.pods.find(({ status }) => status?.podIP === address && status.phase === 'Running');
  const unready = pod === undefined ? undefined : nodeReason(pod.spec?.nodeName, facts);
  if (unready !== undefined) return unready;
  if (code === 'ECONNREFUSED' && end !== undefined) return listensReason(end, facts, asked);
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH') return unreachable(address, message, facts);
  if (code === 'EPROTO' || code === 'ECONNRESET') return protocolReason(report, end, message);
  return { code: 'NoAnswer', message, details: [], objects: [], fix: 'look at the last step of the trace' };
}

interface End {
  readonly proto: 'tcp' | 'udp' | 'sctp';
  readonly address: string;
  readonly port: number;
  /** "pod shop/web-1", "node node-1". */
  readonly whose: string;
}

/** Where the request came to last. */
export function endOf(steps: readonly NetworkStep[]): End | undefined {
  const last = steps.findLast(step => step.kind === 'netfilter' && step.direction === 'request');
  if (last?.kind !== 'netfilter') return undefined;
  const { proto, dst: address, dstPort: port } = last.out;
  const delivered = steps.findLast(step => step.kind === 'deliver' || step.kind === 'route');
  const whose = delivered?.kind === 'deliver' ? delivered.to : delivered?.kind === 'route' ? delivered.via : undefined;
  return { proto, address, port, whose: whose ?? address };
}

/** "namespace/name" of "pod namespace/name"; undefined: it is no Pod's. */
export const podOf = ({ whose }: Pick<End, 'whose'>): string | undefined => /^pod (\S+)$/.exec(whose)?.[1];

function listensReason(end: End, facts: Facts, asked: Asked | undefined): Reason {
  const { proto, port, whose } = end;
  const key = podOf(end);
  const listening = key === undefined ? undefined : facts.listening?.get(key);
  const name = key?.split('/')[1] ?? whose;
  const others = listening === undefined ? '' : otherPorts(listening, proto, port);
  const headless = asked?.service.spec?.clusterIP === 'None' && asked.port.targetPort !== undefined;
  const target = asked?.port.targetPort ?? asked?.port.port;
  const what = `nothing listens on ${port}${proto === 'tcp' ? '' : `/${proto.toUpperCase()}`} in ${name}${others}`;
  const show = key === undefined ? {} : { show: `kubectl exec ${name} -n ${key.split('/')[0] ?? ''} -- netstat -ln` };
  const first = listening?.[proto][0];
  if (headless && target !== port && asked !== undefined)
    return {
      code: 'HeadlessPort',
      message: ofObject(
        serviceName(asked.service),
        `headless, so port ${port} is not translated to targetPort ${target}: ${what}`,
      ),
      details: [],
      objects: [serviceName(asked.service)],
      fix: `ask for port ${target}, or give the Service a cluster IP`,
      ...show,
    };
  return {
    code: 'NothingListens',
    message: asked === undefined ? what : ofObject(serviceName(asked.service), what),
    details: [],
    objects: [
      ...(asked === undefined ? [] : [serviceName(asked.service)]),
      ...(key === undefined ? [] : [{ kind: 'Pod', namespace: key.split('/')[0] ?? '', name }]),
    ],
    fix:
      asked === undefined
        ? first === undefined
          ? 'ask for a port that something listens on'
          : `ask for port ${first}`
        : `set targetPort of port ${asked.port.port} to ${first ?? 'the port that the container listens on'}, or let the container listen on ${port}`,
    ...show,
  };
}

/** ", it listens on 80", and whether it is the right port for the Pod itself only. */
function otherPorts(listening: ListeningPorts, proto: 'tcp' | 'udp' | 'sctp', port: number): string {
  if (proto === 'tcp' && listening.loopback.includes(port)) return ' for others: it listens on 127.0.0.1 only';
  const same = listening[proto].map(String);
  const other = (['tcp', 'udp', 'sctp'] as const)
    .filter(of => of !== proto)
    .flatMap(of => listening[of].map(one => `${one}/${of.toUpperCase()}`));
  const all = [...same, ...other];
  return all.length === 0 ? ', nor on any other port' : `, it listens on ${all.join(', ')}`;
}

/** A node whose agent does not answer takes no traffic. */
export function nodeReason(name: string | undefined, facts: Pick<Facts, 'nodes'>): Reason | undefined {
  const node = facts.nodes?.find(({ metadata }) => metadata.name === name);
  if (name === undefined || node === undefined || isNodeReady(node)) return undefined;
  const ready = node.status?.conditions?.find(({ type }) => type === 'Ready');
  return {
    code: 'NodeNotReady',
    message: `node ${name} is not Ready${ready?.message === undefined ? '' : `: ${ready.message}`}`,
    details: [],
    objects: [{ kind: 'Node', name }],
    fix: `start node ${name} again`,
    show: `kubectl describe node/${name}`,
  };
}

/** An address that no route leads to. */
function unreachable(address: string, message: string, facts: Facts): Reason {
  if (/is no address of this cluster/.test(message))
    return {
      code: 'NoOutsideNetwork',
      message: `no outside network: ${address} is no address of this cluster`,
      details: [],
      objects: [],
      fix: 'ask for the address of a Pod, a Service or a node',
      show: 'kubectl get pods,svc,nodes -A -o wide',
    };
  const silent = /no agent answers|is not up/.test(message);
  const node = facts.nodes?.find(({ status }) => status?.addresses?.some(({ address: its }) => message.includes(its)));
  if (silent)
    return {
      code: 'NodeNotReady',
      message: `${node?.metadata.name === undefined ? 'the node' : `node ${node.metadata.name}`} of ${address} does not answer`,
      details: [message],
      objects: node === undefined ? [] : [{ kind: 'Node', name: node.metadata.name ?? '' }],
      fix: 'start the node again',
      show: 'kubectl get nodes',
    };
  return {
    code: 'NoSuchAddress',
    message: `no Pod, Service or node has the address ${address} (any more)`,
    details: [],
    objects: [],
    fix: 'ask for a Service: addresses of Pods go with them',
    show: 'kubectl get pods,svc,nodes -A -o wide',
  };
}

/** Somebody took the connection, and spoke otherwise. */
function protocolReason({ url }: TraceReport, end: End | undefined, message: string): Reason {
  const protocol = url.split(':', 1)[0] ?? '';
  return {
    code: 'NoAnswer',
    message: `${end?.whose ?? 'it'} takes the connection and does not answer as ${protocol}: ${message}`,
    details: [],
    objects: [],
    fix: `ask for tcp:// instead of ${protocol}://, or for the port that speaks ${protocol}`,
  };
}
