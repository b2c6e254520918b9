import { ASTRAY } from '../containers/network/errors.js';
import type { NetworkStep } from '../containers/network/types.js';
import type { TraceStep } from '../dataplane/trace.js';
import { SERVICE_NAME_LABEL } from '../machinery/service-name.js';
import type { DeepReadonly, EndpointSlice, Service } from '../machinery/types.js';
import type { TraceReport } from '../nodeagent/kubelet-api/trace-report.js';
import { addressesOf } from '../nodeagent/proxy/explain-address.js';
import { addressReason } from './address-reason.js';
import { nameReason } from './name-reason.js';
import type { NameSource } from './names.js';
import { noEndpointsReason, readyEndpoints, type ReadonlyServicePort } from './service-problem.js';
import { type Facts, ofObject, type Reason, serviceName } from './types.js';

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
    return nameReason(report, names, facts);
  }
  const { to, protocol, steps } = connection;
  const dropped = policyReason(steps);
  if (dropped !== undefined) return dropped;
  if (connection.error?.message.includes(ASTRAY) === true) return astrayReason(connection, facts);
  const stopped = stoppedAt(steps);
  const service = serviceBehind(stopped, to.address, facts.services) ?? serviceNamed(names, facts.services);
  if (service === undefined) return addressReason(report, facts);
  const port = portAsked(service, to.port, protocol);
  if (port === undefined) return portReason(service, to.port, protocol);
  if (stopped === undefined) return addressReason(report, facts, { service, port });
  if (
    stopped.rules.some(({ chain = '' }) => chain.startsWith('KUBE-FW-') || chain.includes('firewall')) &&
    stopped.verdict === 'drop'
  )
    return sourceRangeReason(service, stopped);
  const ready = readyEndpoints(service, port, facts.slices);
  const local = ready.length === 0 ? undefined : localReason(service, stopped, ready);
  return local ?? noEndpointsReason(service, port, facts);
}

const portAsked = (service: ReadonlyService, asked: number, protocol: string): ReadonlyServicePort | undefined =>
  service.spec?.ports?.find(
    ({ port, nodePort, protocol: its = 'TCP' }) =>
      (port === asked || nodePort === asked) && its.toLowerCase() === protocol,
  );

/** The Service that a failed request was for; undefined: for none. */
export function serviceOf(
  report: TraceReport,
  services: Facts['services'],
  names: readonly NameSource[] = [],
): ReadonlyService | undefined {
  const { connection } = report;
  if (connection === undefined) return serviceNamed(names, services);
  const { steps, to } = connection;
  return serviceBehind(stoppedAt(steps) ?? sentOn(steps), to.address, services) ?? serviceNamed(names, services);
}

/** Whether a failed request may be for this Service: nothing needs to be known of the others. */
export function isConcerned(
  { connection }: TraceReport,
  service: ReadonlyService,
  names: readonly NameSource[] = [],
): boolean {
  if (serviceNamed(names, [service]) !== undefined) return true;
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

/** The Service of a name that was asked for. */
export function serviceNamed(names: readonly NameSource[], services: Facts['services']): ReadonlyService | undefined {
  const key = names.find(({ service }) => service !== undefined)?.service;
  return services.find(({ metadata }) => metadata.namespace === key?.namespace && metadata.name === key?.name);
}

const stoppedAt = (steps: readonly NetworkStep[]): NetfilterStep | undefined =>
  steps.findLast((step): step is NetfilterStep => step.kind === 'netfilter' && step.verdict !== 'accept');

/** Where the request got another destination, the last time. */
const sentOn = (steps: readonly NetworkStep[]): NetfilterStep | undefined =>
  steps.findLast(
    (step): step is NetfilterStep =>
      step.kind === 'netfilter' && step.direction === 'request' && step.in.dst !== step.out.dst,
  );

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
      ...(origin === undefined
        ? {}
        : { show: `kubectl describe networkpolicy/${origin.name} -n ${origin.namespace ?? ''}` }),
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

/** A port that the Service does not have, or has of another protocol. */
export function portReason(service: ReadonlyService, asked: number, protocol: string): Reason {
  const { namespace = '', name = '' } = service.metadata;
  const its = service.spec?.ports ?? [];
  const upper = protocol.toUpperCase();
  const isOther = its.some(({ port }) => port === asked);
  const ports = its.map(({ port, protocol: of = 'TCP' }) => (isOther || of !== upper ? `${port}/${of}` : String(port)));
  return {
    code: 'NoSuchPort',
    message: ofObject(
      serviceName(service),
      `port ${asked}${isOther || upper !== 'TCP' ? `/${upper}` : ''} is no port of the Service (${ports.join(', ') || 'it has none'})`,
    ),
    details: [],
    objects: [serviceName(service)],
    fix: `ask for ${ports.join(' or ') || 'another Service'}, or add ${asked}/${upper} to its ports`,
    show: `kubectl get svc/${name} -n ${namespace}`,
  };
}

function sourceRangeReason(service: ReadonlyService, { in: { src } }: NetfilterStep): Reason {
  return {
    code: 'SourceRange',
    message: ofObject(
      serviceName(service),
      `${src} is in none of its loadBalancerSourceRanges (${(service.spec?.loadBalancerSourceRanges ?? []).join(', ')})`,
    ),
    details: [],
    objects: [serviceName(service)],
    fix: 'add a range that holds the client',
  };
}

/** A policy Local that leaves this node out; undefined: it is no such policy that does. */
function localReason(
  service: ReadonlyService,
  { node }: Pick<NetfilterStep, 'node'>,
  ready: readonly DeepReadonly<Endpoint>[],
): Reason | undefined {
  const nodes = [...new Set(ready.flatMap(({ nodeName }) => nodeName ?? []))].sort();
  const { internalTrafficPolicy, externalTrafficPolicy } = service.spec ?? {};
  if (nodes.includes(node)) return undefined;
  const field =
    internalTrafficPolicy === 'Local'
      ? 'internalTrafficPolicy'
      : externalTrafficPolicy === 'Local'
        ? 'externalTrafficPolicy'
        : undefined;
  return field === undefined ? undefined : withoutLocal(service, field, [node], nodes);
}

/** What a policy Local means for nodes that have no endpoint. */
export function withoutLocal(
  service: ReadonlyService,
  field: 'internalTrafficPolicy' | 'externalTrafficPolicy',
  without: readonly string[],
  nodes: readonly string[],
): Reason {
  const { namespace = '', name = '' } = service.metadata;
  const on = without.join(', ');
  return {
    code: 'NoLocalEndpoints',
    message: ofObject(
      serviceName(service),
      `${field} Local and no endpoint on ${on} (${nodes.length === 0 ? 'there is none' : `there is on ${nodes.join(', ')}`})`,
    ),
    details: [],
    objects: [serviceName(service)],
    fix: `set ${field} to Cluster, or run a Pod of it on ${on}`,
    show: `kubectl get endpointslices -n ${namespace} -l ${SERVICE_NAME_LABEL}=${name} -o wide`,
  };
}

/** Somebody answers the client, who has asked another address. */
function astrayReason({ steps, to, error, protocol }: NonNullable<TraceReport['connection']>, facts: Facts): Reason {
  const sent = sentOn(steps);
  const service = serviceBehind(sent, to.address, facts.services);
  const way =
    sent === undefined
      ? (error?.message ?? ASTRAY)
      : `${sent.node} sends it to ${sent.out.dst}, which answers ${sent.out.src} past ${sent.node}: the client has asked another address`;
  const port = service === undefined ? undefined : portAsked(service, to.port, protocol);
  const local =
    service === undefined || sent === undefined
      ? undefined
      : localReason(service, sent, readyEndpoints(service, port, facts.slices));
  if (local !== undefined) return { ...local, details: [...local.details, way] };
  return {
    code: 'NoAnswer',
    message: way,
    details: [],
    objects: service === undefined ? [] : [serviceName(service)],
    fix: `let ${sent?.node ?? 'the node'} masquerade such packets (--cluster-cidr, --masquerade-all), or ask a Pod's node`,
  };
}
