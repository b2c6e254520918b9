import { CLASS, GATEWAY_CONTROLLER, PORTS } from '../names.js';
import type { Rule } from '../routing/route-table.js';
import type { BackendPort, Route } from '../routing/route.js';
import { fails, holds, type Verdict } from './conditions.js';
import { isGranted } from './grants.js';
import { commonHosts } from './hostnames.js';
import { openListener, SUPPORTED_KINDS, takesFrom, type OpenListener } from './listeners.js';
import { GATEWAY_GROUP } from './resources.js';
import { routeRules } from './route-rules.js';
import type { Gateway, GatewayClass, HttpRoute, ParentRef, ReferenceGrant } from './types.js';

/** All that decides what Gateways do. */
export interface GatewayFacts {
  readonly classes: Iterable<GatewayClass>;
  readonly gateways: Iterable<Gateway>;
  readonly routes: Iterable<HttpRoute>;
  readonly grants: readonly ReferenceGrant[];
  readonly addresses: readonly string[];
  readonly labelsOf: (namespace: string) => Readonly<Record<string, string>> | undefined;
  readonly backendProblemOf: (port: BackendPort) => { readonly message: string } | undefined;
  readonly certificateProblemOf: (secret: string) => string | undefined;
}

export interface ListenerVerdicts {
  readonly name: string;
  readonly attachedRoutes: number;
  readonly supportedKinds: readonly { readonly group: string; readonly kind: string }[];
  readonly verdicts: readonly Verdict[];
}

export interface CompiledGateways {
  /** By port. */
  readonly rules: ReadonlyMap<number, readonly Rule<Route>[]>;
  readonly certificates: readonly { readonly gateway: Gateway; readonly host: string; readonly secret: string }[];
  /** By name. */
  readonly classes: ReadonlyMap<string, readonly Verdict[]>;
  /** By "namespace/name". */
  readonly gateways: ReadonlyMap<
    string,
    { readonly verdicts: readonly Verdict[]; readonly listeners: readonly ListenerVerdicts[] }
  >;
  /** By "namespace/name": what each of its Gateways of ours makes of it. */
  readonly routes: ReadonlyMap<
    string,
    readonly { readonly parent: ParentRef; readonly verdicts: readonly Verdict[] }[]
  >;
}

interface OpenGateway {
  readonly gateway: Gateway;
  readonly namespace: string;
  readonly listeners: readonly (OpenListener & { attached: number })[];
}

const keyOf = ({ metadata: { namespace = '', name = '' } }: Gateway | HttpRoute): string => `${namespace}/${name}`;

function classVerdict({ spec }: GatewayClass): Verdict {
  return spec?.parametersRef === undefined
    ? holds('Accepted')
    : fails('Accepted', 'InvalidParameters', `class ${CLASS} takes no parameters`);
}

function gatewayVerdicts({ gateway, listeners }: OpenGateway, addresses: readonly string[]): Verdict[] {
  const asked = gateway.spec?.addresses ?? [];
  const strange = asked.find(({ type = 'IPAddress' }) => type !== 'IPAddress');
  const serving = listeners.filter(({ serves }) => serves);
  const accepted =
    strange !== undefined
      ? fails('Accepted', 'UnsupportedAddress', `addresses of type ${strange.type ?? ''} are not given`)
      : listeners.every(({ accepted: fine }) => fine)
        ? holds('Accepted')
        : listeners.some(({ accepted: fine }) => fine)
          ? holds('Accepted', 'ListenersNotValid', 'some listeners are not served')
          : fails('Accepted', 'ListenersNotValid', 'no listener is served');
  const elsewhere = asked.find(({ value }) => value !== undefined && value !== '' && !addresses.includes(value));
  const programmed =
    accepted.status === 'False' || serving.length === 0
      ? fails('Programmed', 'Invalid', 'no listener takes requests')
      : elsewhere !== undefined
        ? fails('Programmed', 'AddressNotUsable', `all Gateways are at ${addresses.join(', ')}`)
        : addresses.length === 0
          ? fails('Programmed', 'AddressNotAssigned', 'the load balancer of the controller has no address yet')
          : holds('Programmed');
  return [accepted, programmed];
}

/** What becomes of requests by all Gateways and HTTPRoutes there are, and what is to be said of each: a function of the facts. */
export function compileGateways(facts: GatewayFacts): CompiledGateways {
  const ours = [...facts.classes].filter(({ spec }) => spec?.controllerName === GATEWAY_CONTROLLER);
  const classes = new Map(ours.map(each => [each.metadata.name ?? '', [classVerdict(each)]]));
  const opened = new Map<string, OpenGateway>();
  for (const gateway of facts.gateways) {
    if (classes.get(gateway.spec?.gatewayClassName ?? '')?.[0]?.status !== 'True') continue;
    const { namespace = '' } = gateway.metadata;
    const listeners = (gateway.spec?.listeners ?? []).map(listener => ({
      ...openListener(listener, {
        namespace,
        problemOf: secret => facts.certificateProblemOf(secret),
        isGranted: secret =>
          isGranted({ from: { kind: 'Gateway', namespace }, to: { kind: 'Secret', ...secret } }, facts.grants),
      }),
      attached: 0,
    }));
    opened.set(keyOf(gateway), { gateway, namespace, listeners });
  }
  const rules = new Map<number, Rule<Route>[]>([
    [PORTS.http, []],
    [PORTS.https, []],
  ]);
  const routes = new Map<string, { parent: ParentRef; verdicts: readonly Verdict[] }[]>();
  for (const route of facts.routes) {
    const parents = attach(route, opened, facts, rules);
    if (parents.length > 0) routes.set(keyOf(route), parents);
  }
  return {
    rules,
    classes,
    routes,
    certificates: [...opened.values()].flatMap(({ gateway, listeners }) =>
      listeners.flatMap(({ listener, serves, secret }) =>
        serves && secret !== undefined ? [{ gateway, secret, host: (listener.hostname ?? '').toLowerCase() }] : [],
      ),
    ),
    gateways: new Map(
      [...opened].map(([key, gateway]) => [
        key,
        {
          verdicts: gatewayVerdicts(gateway, facts.addresses),
          listeners: gateway.listeners.map(({ listener, verdicts, attached, takesHttpRoutes }) => ({
            name: listener.name,
            attachedRoutes: attached,
            supportedKinds: takesHttpRoutes ? SUPPORTED_KINDS : [],
            verdicts,
          })),
        },
      ]),
    ),
  };
}

/** Puts a route's rules behind the listeners that take it; what each of its parents says to that. */
function attach(
  route: HttpRoute,
  opened: ReadonlyMap<string, OpenGateway>,
  facts: GatewayFacts,
  into: ReadonlyMap<number, Rule<Route>[]>,
): { parent: ParentRef; verdicts: Verdict[] }[] {
  const { namespace = '' } = route.metadata;
  const parents = (route.spec?.parentRefs ?? []).flatMap(parent => {
    const { group = GATEWAY_GROUP, kind = 'Gateway' } = parent;
    const gateway = opened.get(`${parent.namespace ?? namespace}/${parent.name}`);
    return group === GATEWAY_GROUP && kind === 'Gateway' && gateway !== undefined ? [{ parent, gateway }] : [];
  });
  if (parents.length === 0) return [];
  const { rules, unresolved, unsupported } = routeRules(route, {
    problemOf: port => facts.backendProblemOf(port),
    isGranted: service =>
      isGranted({ from: { kind: 'HTTPRoute', namespace }, to: { kind: 'Service', ...service } }, facts.grants),
  });
  const resolved = unresolved ?? holds('ResolvedRefs');
  return parents.map(({ parent, gateway }) => {
    const named = gateway.listeners.filter(
      ({ listener }) =>
        (parent.sectionName === undefined || parent.sectionName === listener.name) &&
        (parent.port === undefined || parent.port === listener.port),
    );
    const open = named.filter(
      ({ listener, takesHttpRoutes }) =>
        takesHttpRoutes && takesFrom(listener, gateway.namespace, namespace, name => facts.labelsOf(name)),
    );
    const shared = open.flatMap(each => {
      const hosts = commonHosts(each.listener.hostname, route.spec?.hostnames);
      return hosts.length === 0 ? [] : [{ open: each, hosts }];
    });
    const refused =
      named.length === 0
        ? fails('Accepted', 'NoMatchingParent', 'the Gateway has no such listener')
        : open.length === 0
          ? fails('Accepted', 'NotAllowedByListeners', 'no listener takes routes of this namespace')
          : shared.length === 0
            ? fails('Accepted', 'NoMatchingListenerHostname', 'no listener is for these hostnames')
            : unsupported;
    if (refused !== undefined) return { parent, verdicts: [refused, resolved] };
    for (const { open: each, hosts } of shared) {
      each.attached++;
      if (!each.serves) continue;
      const there = into.get(each.listener.port);
      for (const host of hosts) for (const rule of rules) there?.push({ ...rule, host });
    }
    return { parent, verdicts: [holds('Accepted'), resolved] };
  });
}
