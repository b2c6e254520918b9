import { ASTRAY } from '../containers/network/errors.js';
import type { NetworkStep } from '../containers/network/types.js';
import type { TraceStep } from '../dataplane/trace.js';
import type { DeepReadonly, EndpointSlice, Service } from '../machinery/types.js';
import type { TraceReport } from '../nodeagent/kubelet-api/trace-report.js';
import { addressesOf } from '../nodeagent/proxy/explain-address.js';
import type { NameSource } from './names.js';
import { noEndpointsReason, slicesOf } from './service-problem.js';
import { type Facts, nameText, type Reason, serviceName } from './types.js';

type ReadonlyService = DeepReadonly<Service>;
type Endpoint = NonNullable<EndpointSlice['endpoints']>[number];
type NetfilterStep = Extract<NetworkStep, { kind: 'netfilter' }>;

/**
 * Why a traced request failed; undefined: it did not, or nobody knows. `names`: what the names stand for that were asked for.
 */
export function traceReason(report: TraceReport, facts: Facts, names: readonly NameSource[] = []): Reason | undefined {
  const { lookup, connection } = report;
  if (report.error === undefined) return undefined;
  if (connection === undefined) {
    if (lookup.failure === 'TIMEOUT')
      return (
        policyReason(lookup.unanswered.flatMap(({ steps }) => steps)) ?? {
          code: 'DnsUnreachable',
          message: `no name server answers (${lookup.nameservers.join(', ')})`,
          details: lookup.unanswered.map(({ server, error }) => `${server}: ${error}`),
          objects: [{ kind: 'Service', namespace: 'kube-system', name: 'kube-dns' }],
          fix:
            report.from.kind === 'node'
              ? 'a node does not ask the cluster DNS: name an address, or svc/NAME'
              : 'see that the Service kube-system/kube-dns has endpoints, and that no NetworkPolicy is between',
        }
      );
    return nameReason(report, names);
  }
  const { to, protocol, steps } = connection;
  const dropped = policyReason(steps);
  if (dropped !== undefined) return dropped;
  if (connection.error?.message.includes(ASTRAY) === true) return astrayReason(connection, facts);
  const stopped = stoppedAt(steps);
  const service = serviceBehind(stopped, to.address, facts.services);
  if (service === undefined) return addressReason(report, steps);
  const port = service.spec?.ports?.find(p => p.port === to.port || p.nodePort === to.port);
  if (port === undefined || (port.protocol ?? 'TCP').toLowerCase() !== protocol)
    return portReason(service, to.port, protocol);
  if (stopped === undefined) return addressReason(report, steps, service);
  if (
    stopped.rules.some(({ chain = '' }) => chain.startsWith('KUBE-FW-') || chain.includes('firewall')) &&
    stopped.verdict === 'drop'
  )
    return sourceRangeReason(service, stopped);
  const ready = readyEndpoints(service, facts);
  return ready.length === 0 ? noEndpointsReason(service, port, facts) : localReason(service, stopped, ready);
}

const readyEndpoints = (service: ReadonlyService, facts: Facts): readonly DeepReadonly<Endpoint>[] =>
  slicesOf(service, facts.slices)
    .flatMap(({ endpoints }) => endpoints ?? [])
    .filter(({ conditions }) => conditions?.ready !== false);

/** The Service that a failed request was for; undefined: for none. */
export function serviceOf(report: TraceReport, services: Facts['services']): ReadonlyService | undefined {
  const { connection } = report;
  if (connection === undefined) return undefined;
  const { steps, to } = connection;
  return serviceBehind(stoppedAt(steps) ?? sentOn(steps), to.address, services);
}

/** Whether a failed request may be for this Service: nothing needs to be known of the others. */
export function isConcerned({ connection }: TraceReport, service: ReadonlyService): boolean {
  if (connection === undefined) return false;
  const { namespace, name } = service.metadata;
  const isNamed = connection.steps.some(
    step =>
      step.kind === 'netfilter' &&
      step.rules.some(
        ({ origin }) => origin?.kind === 'Service' && origin.namespace === namespace && origin.name === name,
      ),
  );
  return isNamed || addressesOf(service).includes(connection.to.address);
}

const stoppedAt = (steps: readonly NetworkStep[]): NetfilterStep | undefined =>
  steps.findLast((step): step is NetfilterStep => step.kind === 'netfilter' && step.verdict !== 'accept');

/** Where the request got another destination, the last time. */
const sentOn = (steps: readonly NetworkStep[]): NetfilterStep | undefined =>
  steps.findLast(
    (step): step is NetfilterStep =>
      step.kind === 'netfilter' && step.direction === 'request' && step.in.dst !== step.out.dst,
  );

/** The name in the sender's own namespace is tried first, and is what was meant where nothing else is said. */
function nameReason({ lookup, from }: TraceReport, [first]: readonly NameSource[]): Reason {
  if (first !== undefined)
    return {
      code: 'NameNotFound',
      message: first.text,
      details: [`asked for ${[...new Set(lookup.queries.map(({ question }) => question.name))].join(', ')}`],
      objects: [],
      fix: 'make the Service, or ask for another name',
    };
  const isCluster = lookup.search.some(domain => domain.endsWith(lookup.clusterDomain));
  return {
    code: 'NameNotFound',
    message: `${lookup.name} has no address (${lookup.failure ?? 'none'})`,
    details: [],
    objects: [],
    fix:
      from.kind === 'outside'
        ? 'from outside of the cluster ask for an address and a port'
        : isCluster
          ? 'check the spelling'
          : `names of the cluster need dnsPolicy ClusterFirst, with hostNetwork ClusterFirstWithHostNet; this is ${lookup.dnsPolicy}`,
  };
}

function policyReason(steps: readonly NetworkStep[]): Reason | undefined {
  for (const step of steps) {
    const last: TraceStep | undefined =
      step.kind === 'netfilter' && step.verdict === 'drop' ? step.rules.at(-1) : undefined;
    if (last?.kind !== 'networkPolicy') continue;
    const { origin } = last;
    return {
      code: 'NetworkPolicy',
      message: last.effect.replace(/^drop: /, ''),
      details: [],
      objects: origin === undefined ? [] : [origin],
      fix: 'add a rule that allows it to one of these policies, or a policy with such a rule',
    };
  }
  return undefined;
}

/** The Service whose rule stopped the packet, else the one that has the address. */
function serviceBehind(
  stopped: NetfilterStep | undefined,
  address: string,
  services: Facts['services'],
): ReadonlyService | undefined {
  const origin = stopped?.rules.findLast(step => step.origin?.kind === 'Service')?.origin;
  const byName = services.find(
    ({ metadata }) => metadata.name === origin?.name && metadata.namespace === origin?.namespace,
  );
  return byName ?? services.find(service => addressesOf(service).includes(address));
}

function portReason(service: ReadonlyService, asked: number, protocol: string): Reason {
  const ports = (service.spec?.ports ?? []).map(
    ({ name, port, protocol: its = 'TCP' }) => `${port}/${its}${name === undefined || name === '' ? '' : ` (${name})`}`,
  );
  return {
    code: 'NoSuchPort',
    message: `Service ${nameText(service.metadata)} has no port ${asked}/${protocol.toUpperCase()}`,
    details: [`it has ${ports.join(', ') || 'none'}`],
    objects: [serviceName(service)],
    fix: `ask for one of its ports, or add ${asked} to them`,
  };
}

function sourceRangeReason(service: ReadonlyService, { in: { src } }: NetfilterStep): Reason {
  return {
    code: 'SourceRange',
    message: `${src} is in none of the loadBalancerSourceRanges of Service ${nameText(service.metadata)}`,
    details: (service.spec?.loadBalancerSourceRanges ?? []).map(range => `allowed: ${range}`),
    objects: [serviceName(service)],
    fix: 'add a range that holds the client',
  };
}

function localReason(
  service: ReadonlyService,
  { node }: NetfilterStep,
  ready: readonly DeepReadonly<Endpoint>[],
): Reason {
  const nodes = ready.flatMap(({ nodeName }) => nodeName ?? []);
  const { internalTrafficPolicy } = service.spec ?? {};
  const field = internalTrafficPolicy === 'Local' ? 'internalTrafficPolicy' : 'externalTrafficPolicy';
  return {
    code: 'NoLocalEndpoints',
    message: `Service ${nameText(service.metadata)} has ${field} Local and no ready endpoint on ${node}`,
    details: [`it has ready endpoints on ${[...new Set(nodes)].sort().join(', ')}`],
    objects: [serviceName(service)],
    fix: `change ${field} to Cluster, or run a Pod of it on ${node}`,
  };
}

/** Somebody answers the client, who has asked another address. */
function astrayReason({ steps, to, error }: NonNullable<TraceReport['connection']>, facts: Facts): Reason {
  const sent = sentOn(steps);
  const service = serviceBehind(sent, to.address, facts.services);
  const way =
    sent === undefined
      ? (error?.message ?? ASTRAY)
      : `${sent.node} sends it to ${sent.out.dst}, which answers ${sent.out.src} past ${sent.node}: the client has asked another address`;
  if (service?.spec?.externalTrafficPolicy === 'Local' && sent !== undefined) {
    const reason = localReason(service, sent, readyEndpoints(service, facts));
    return { ...reason, details: [...reason.details, way] };
  }
  return {
    code: 'NoAnswer',
    message: way,
    details: [],
    objects: service === undefined ? [] : [serviceName(service)],
    fix: `let ${sent?.node ?? 'the node'} masquerade such packets (--cluster-cidr, --masquerade-all), or ask a Pod's node`,
  };
}

/** No rule stopped it: it came to somebody who does not listen, or to an address that nobody has. */
function addressReason(
  { connection }: TraceReport,
  steps: readonly NetworkStep[],
  service?: ReadonlyService,
): Reason | undefined {
  if (connection?.error === undefined) return undefined;
  const { code, message } = connection.error;
  const last = steps.findLast(step => step.kind === 'netfilter' && step.direction === 'request');
  const at = last?.kind === 'netfilter' ? last.out : undefined;
  const delivered = steps.findLast(step => step.kind === 'deliver' || step.kind === 'route');
  const whose = delivered?.kind === 'deliver' ? delivered.to : delivered?.kind === 'route' ? delivered.via : undefined;
  if (code === 'ECONNREFUSED' && at !== undefined)
    return {
      code: 'NothingListens',
      message: `nothing listens on port ${at.dstPort}/${at.proto.toUpperCase()} of ${whose ?? at.dst}`,
      details: service === undefined ? [] : targetPorts(service),
      objects: service === undefined ? [] : [serviceName(service)],
      fix:
        service === undefined
          ? 'ask for a port that a container listens on'
          : "change the Service's targetPort to the port that the container listens on, or the container",
    };
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH')
    return {
      code: 'NoSuchAddress',
      message,
      details: [],
      objects: [],
      fix: 'ask for the address of a Pod, a Service or a node',
    };
  return { code: 'NoAnswer', message, details: [], objects: [], fix: 'look at the last step of the trace' };
}

const targetPorts = (service: ReadonlyService): string[] =>
  (service.spec?.ports ?? []).map(
    ({ port, targetPort = port }) =>
      `port ${port} of Service ${nameText(service.metadata)} goes to targetPort ${targetPort}`,
  );
