import { NOBODY_OUTSIDE } from '../machinery/nobody-outside.js';
import type { TraceReport } from '../nodeagent/kubelet-api/trace-report.js';
import type { NameSource } from './names.js';
import { noEndpointsReason } from './service-problem.js';
import { type Facts, ofObject, type Reason } from './types.js';

/** Why a name has no address. `names`: what the names stand for that were asked for, along the search path. */
export function nameReason(report: TraceReport, names: readonly NameSource[], facts: Facts): Reason {
  const { lookup } = report;
  const known = names.find(({ service }) => service !== undefined);
  if (known?.service !== undefined) return ofService(report, known, known.service, facts);
  if (isOutside(report, names)) return outsideReason(report, lookup.name);
  const [first] = names;
  if (first !== undefined)
    return {
      code: 'NameNotFound',
      message: `${lookup.name} is NXDOMAIN: ${first.text}`,
      details: [],
      objects: [],
      fix: first.near === undefined ? 'make the Service, or ask for another name' : `ask for ${first.near}`,
      show: `kubectl get svc${first.missing === 'namespace' ? ' -A' : ` -n ${namespaceOf(first.name)}`}`,
    };
  const isCluster = lookup.search.some(domain => domain.endsWith(lookup.clusterDomain));
  return {
    code: 'NameNotFound',
    message: `${lookup.name} has no address (${lookup.failure ?? 'none'})`,
    details: [],
    objects: [],
    fix:
      report.from.kind === 'outside'
        ? 'from outside of the cluster ask for an address and a port'
        : isCluster
          ? 'check the spelling'
          : `names of the cluster need dnsPolicy ClusterFirst, with hostNetwork ClusterFirstWithHostNet; this is ${lookup.dnsPolicy}`,
  };
}

/** Of "web.shop.svc.cluster.local". */
const namespaceOf = (name: string): string => name.split('.')[1] ?? '';

/** A Service that gives no address for its name. */
function ofService(
  report: TraceReport,
  { text, alias }: NameSource,
  key: NonNullable<NameSource['service']>,
  facts: Facts,
): Reason {
  const object = { kind: 'Service', ...key };
  if (alias !== undefined) {
    const inner = outsideReason(report, alias);
    return {
      ...inner,
      message: ofObject(object, `ExternalName ${alias}: ${inner.message}`),
      objects: [object],
      fix: `give it the name of something that there is: kubectl patch svc/${key.name} -n ${key.namespace} -p '{"spec":{"externalName":"…"}}'`,
    };
  }
  const service = facts.services.find(
    ({ metadata }) => metadata.namespace === key.namespace && metadata.name === key.name,
  );
  if (service?.spec?.clusterIP === 'None') return noEndpointsReason(service, service.spec.ports?.[0], facts);
  return { code: 'NameNotFound', message: text, details: [], objects: [object], fix: 'ask for another name' };
}

/** A name with dots may be "web.shop" or the world's: the world's when there is no such namespace, and none that is near. */
function isOutside({ lookup }: TraceReport, names: readonly NameSource[]): boolean {
  const name = lookup.name.replace(/\.$/, '').toLowerCase();
  if (!name.includes('.') || name.endsWith(`.${lookup.clusterDomain.toLowerCase()}`) || /\.svc$/.test(name))
    return false;
  const inNamespace = names.find(({ name: asked }) => asked.toLowerCase().startsWith(`${name}.svc.`));
  return inNamespace === undefined || (inNamespace.missing === 'namespace' && inNamespace.near === undefined);
}

/** There is no network outside unless the cluster's DNS was given a server to ask. */
function outsideReason({ lookup, from }: TraceReport, name: string): Reason {
  const last = lookup.queries.at(-1);
  const isNobody = last?.denier === NOBODY_OUTSIDE || lookup.failure === 'TIMEOUT' || lookup.failure === 'SERVFAIL';
  if (isNobody || last === undefined)
    return {
      code: 'NoOutsideNetwork',
      message: `no outside network: ${name} cannot be resolved`,
      details: [],
      objects: [],
      fix: 'make a Service for it in the cluster, or let its DNS ask a server outside (kubette up --dns-forward)',
      ...(from.kind === 'pod' ? { show: `kubectl exec ${from.name} -n ${from.namespace} -- nslookup ${name}` } : {}),
    };
  return {
    code: 'NameNotFound',
    message: `${name} is ${last.rcode}: the name server outside knows no such name`,
    details: [],
    objects: [],
    fix: 'check the spelling',
  };
}
