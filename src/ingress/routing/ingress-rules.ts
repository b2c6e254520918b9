import type { DeepReadonly, Ingress } from '../../machinery/types.js';
import { settingsOf, type Settings } from './annotations.js';
import type { Origin, PathMatch, Rule } from './route-table.js';
import type { BackendPort, Route } from './route.js';

type ReadonlyIngress = DeepReadonly<Ingress>;
type IngressBackend = NonNullable<NonNullable<ReadonlyIngress['spec']>['defaultBackend']>;

/** Which Secret has a host's certificate. */
export interface HostCertificate {
  /** "a.example.com", "*.example.com" */
  readonly host: string;
  /** "namespace/name" */
  readonly secret: string;
  readonly origin: Origin;
}

/** Something in an Ingress that cannot be done: an Event tells its owner. */
export interface Problem {
  readonly reason: string;
  readonly message: string;
}

export interface IngressRules {
  readonly rules: readonly Rule<Route>[];
  readonly certificates: readonly HostCertificate[];
  /** The ports of Services that it sends to, each once. */
  readonly backends: readonly BackendPort[];
  readonly problems: readonly Problem[];
}

const pathOf = (type: string, path: string): PathMatch =>
  // What is left to the implementation is a prefix here.
  type === 'Exact' ? { kind: 'exact', path } : { kind: 'prefix', path };

/** What an Ingress says, whoever is there to serve it. */
export function ingressRules(ingress: ReadonlyIngress): IngressRules {
  const { metadata, spec } = ingress;
  const { namespace = '', name = '' } = metadata;
  const { settings, problems: unknown } = settingsOf(metadata.annotations);
  const problems: Problem[] = unknown.map(message => ({ reason: 'UnsupportedAnnotation', message }));
  const rules: Rule<Route>[] = [];
  const backends = new Map<string, BackendPort>();
  const origin = (): Origin => ({
    created: metadata.creationTimestamp ?? '',
    key: `${namespace}/${name}`,
    index: rules.length,
  });
  const secured = new Set((spec?.tls ?? []).flatMap(({ hosts }) => hosts ?? []));
  // A TLS entry without hosts is for all of the rules'.
  const isAllSecured = (spec?.tls ?? []).some(({ hosts }) => (hosts ?? []).length === 0);

  const portOf = (backend: IngressBackend): BackendPort | undefined => {
    const { service, resource } = backend;
    if (service === undefined) {
      problems.push({
        reason: 'UnsupportedBackend',
        message: `backends other than Services are not served: ${resource?.kind ?? ''} ${resource?.name ?? ''}`,
      });
      return undefined;
    }
    const port = { namespace, service: service.name, port: service.port?.name || (service.port?.number ?? 0) };
    backends.set(`${port.service}:${port.port}`, port);
    return port;
  };
  const add = (host: string, path: PathMatch, backend: IngressBackend): void => {
    const isSecured = secured.has(host) || (isAllSecured && host !== '');
    const route = routeOf(`Ingress ${namespace}/${name}`, settings, isSecured, portOf(backend));
    rules.push({ host, star: 'one', path, headers: [], query: [], origin: origin(), route });
  };
  const hosts = new Set<string>();
  for (const { host = '', http } of spec?.rules ?? []) {
    hosts.add(host);
    for (const { path = '', pathType, backend } of http?.paths ?? []) add(host, pathOf(pathType, path || '/'), backend);
  }
  // What no rule takes: of its own hosts, or of all when it names none. It comes after a rule for "/".
  if (spec?.defaultBackend !== undefined)
    for (const host of hosts.size === 0 ? [''] : hosts) add(host, { kind: 'prefix', path: '/' }, spec.defaultBackend);
  const certificates = (spec?.tls ?? []).flatMap(({ secretName = '', hosts: named = [] }, index) =>
    secretName === ''
      ? []
      : (named.length > 0 ? named : [...hosts].filter(host => host !== '')).map(host => ({
          host,
          secret: `${namespace}/${secretName}`,
          origin: { ...origin(), index },
        })),
  );
  return { rules, certificates, backends: [...backends.values()], problems };
}

function routeOf(owner: string, settings: Settings, isSecured: boolean, to: BackendPort | undefined): Route {
  const { sslRedirect, forceSslRedirect, ...limits } = settings;
  return {
    ...limits,
    owner,
    backends: [{ to, weight: 1 }],
    withoutBackend: 503,
    ...(forceSslRedirect || (sslRedirect && isSecured) ? { onlySecure: true } : {}),
  };
}
