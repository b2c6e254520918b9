import { SelectorError } from '../../machinery/label-requirement.js';
import { labelSelectorAsSelector } from '../../machinery/labels.js';
import { PORTS } from '../names.js';
import { fails, holds, type Verdict } from './conditions.js';
import { GATEWAY_GROUP } from './resources.js';
import type { Listener, ObjectReference } from './types.js';

/** A listener as it is served, and what is to be said of it. */
export interface OpenListener {
  readonly listener: Listener;
  readonly verdicts: readonly Verdict[];
  /** Routes may be attached; whether they get requests is another matter. */
  readonly accepted: boolean;
  /** It takes requests. */
  readonly serves: boolean;
  /** Of HTTPS, "namespace/name". */
  readonly secret: string | undefined;
  readonly takesHttpRoutes: boolean;
}

export interface ListenerFacts {
  /** Of its Gateway. */
  readonly namespace: string;
  isGranted(secret: { readonly namespace: string; readonly name: string }): boolean;
  /** What is wrong with a Secret's certificate. */
  problemOf(secret: string): string | undefined;
}

const ROUTE_KIND = 'HTTPRoute';
export const SUPPORTED_KINDS = [{ group: GATEWAY_GROUP, kind: ROUTE_KIND }] as const;
const PROTOCOL_PORTS: Readonly<Record<string, number>> = { HTTP: PORTS.http, HTTPS: PORTS.https };

function acceptance({ port, protocol, tls }: Listener): Verdict {
  const served = PROTOCOL_PORTS[protocol];
  if (served === undefined) return fails('Accepted', 'UnsupportedProtocol', `only HTTP and HTTPS are served`);
  if (port !== served)
    return fails('Accepted', 'PortUnavailable', `${protocol} is served on port ${served}, no other is open`);
  if (protocol === 'HTTPS' && (tls?.mode ?? 'Terminate') !== 'Terminate')
    return fails('Accepted', 'UnsupportedValue', `TLS mode ${tls?.mode ?? ''} is not served`);
  return holds('Accepted');
}

const isSecret = ({ group = '', kind = 'Secret' }: ObjectReference): boolean => group === '' && kind === 'Secret';

function secretOf({ protocol, tls }: Listener, facts: ListenerFacts): { secret?: string; problem?: Verdict } {
  if (protocol !== 'HTTPS') return {};
  const invalid = (message: string): { problem: Verdict } => ({
    problem: fails('ResolvedRefs', 'InvalidCertificateRef', message),
  });
  const [ref] = tls?.certificateRefs ?? [];
  if (ref === undefined) return invalid('no certificate is named');
  if (!isSecret(ref)) return invalid(`${ref.kind ?? ''} ${ref.name} is no Secret`);
  const { namespace = facts.namespace, name } = ref;
  if (!facts.isGranted({ namespace, name }))
    return {
      problem: fails(
        'ResolvedRefs',
        'RefNotPermitted',
        `no ReferenceGrant of namespace ${namespace} allows Secret ${name}`,
      ),
    };
  const secret = `${namespace}/${name}`;
  const wrong = facts.problemOf(secret);
  return wrong === undefined ? { secret } : invalid(wrong);
}

export function openListener(listener: Listener, facts: ListenerFacts): OpenListener {
  const accepted = acceptance(listener);
  const kinds = listener.allowedRoutes?.kinds ?? [];
  const isHttpRoute = ({ group = GATEWAY_GROUP, kind }: { group?: string; kind: string }): boolean =>
    group === GATEWAY_GROUP && kind === ROUTE_KIND;
  const takesHttpRoutes = kinds.length === 0 || kinds.some(isHttpRoute);
  const { secret, problem } = secretOf(listener, facts);
  const strange = kinds.find(kind => !isHttpRoute(kind));
  const resolved =
    problem ??
    (strange === undefined
      ? holds('ResolvedRefs')
      : fails('ResolvedRefs', 'InvalidRouteKinds', `routes of kind ${strange.kind} are not served`));
  const isAccepted = accepted.status === 'True';
  const serves = isAccepted && problem === undefined && takesHttpRoutes;
  return {
    listener,
    accepted: isAccepted,
    serves,
    secret,
    takesHttpRoutes,
    verdicts: [
      accepted,
      resolved,
      holdsNoConflict,
      serves ? holds('Programmed') : fails('Programmed', 'Invalid', 'see the other conditions'),
    ],
  };
}

const holdsNoConflict = fails('Conflicted', 'NoConflicts', '');

/** Whether a listener takes routes of a namespace. */
export function takesFrom(
  { allowedRoutes }: Listener,
  gatewayNamespace: string,
  routeNamespace: string,
  labelsOf: (namespace: string) => Readonly<Record<string, string>> | undefined,
): boolean {
  const { from = 'Same', selector } = allowedRoutes?.namespaces ?? {};
  if (from === 'All') return true;
  if (from === 'Same') return gatewayNamespace === routeNamespace;
  const labels = labelsOf(routeNamespace);
  if (from !== 'Selector' || labels === undefined) return false;
  try {
    return labelSelectorAsSelector(selector).matches(labels);
  } catch (error) {
    if (error instanceof SelectorError) return false;
    throw error;
  }
}
