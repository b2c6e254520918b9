import { CUSTOM_RESOURCE_DEFINITIONS, NAMESPACES } from '../../client/resources.js';
import { keyOf, splitKey, type ResourceRef } from '../../client/types.js';
import { formatTime, type Clock } from '../../machinery/clock.js';
import { jsonEqual } from '../../machinery/json-equal.js';
import { isStatusError } from '../../machinery/status.js';
import type { KubeObject, Namespace } from '../../machinery/types.js';
import type { SourceOptions } from '../controller/ingresses.js';
import type { ShownCertificate, Source } from '../controller/source.js';
import { GATEWAY_CONTROLLER } from '../names.js';
import { compileGateways, type CompiledGateways } from './compile-gateways.js';
import { writtenConditions } from './conditions.js';
import { GATEWAY_CLASSES, GATEWAY_GROUP, GATEWAYS, HTTP_ROUTES, REFERENCE_GRANTS } from './resources.js';
import type { Condition, Gateway, GatewayClass, HttpRoute, ReferenceGrant } from './types.js';

/** Cached objects: they are read only. */
interface Mirror<T extends KubeObject> {
  get(key: string): T | undefined;
  list(): Iterable<T>;
}
const KINDS = { class: GATEWAY_CLASSES, gateway: GATEWAYS, route: HTTP_ROUTES } as const;
type Kind = keyof typeof KINDS;

/** Statuses are written for what was compiled; who writes them has no reason to compile again. */
const meansMore = (old: KubeObject, now: KubeObject): boolean =>
  old.metadata.generation !== now.metadata.generation || !jsonEqual(old.metadata.labels, now.metadata.labels);

/**
 * Mirrors a resource while it is defined: users install Gateway API's definitions when they like, and take them away.
 * What is not defined has no objects.
 */
function mirrorOf<T extends KubeObject>({ informers, onChange }: SourceOptions, ref: ResourceRef): Mirror<T> {
  const definitions = informers.informer<KubeObject>(CUSTOM_RESOURCE_DEFINITIONS, {
    fieldSelector: `metadata.name=${ref.resource}.${GATEWAY_GROUP}`,
    metadataOnly: true,
  });
  let mirror: Mirror<T> | undefined;
  let end: () => void = () => undefined;
  definitions.addHandler({
    add() {
      const informer = informers.informer<T>(ref);
      mirror = informer.indexer as unknown as Mirror<T>;
      end = informer.addHandler({
        add: onChange,
        update: (old, now) => void (meansMore(old as KubeObject, now as KubeObject) && onChange()),
        delete: onChange,
      });
    },
    delete() {
      mirror = undefined;
      end();
      informers.release?.(ref);
      onChange();
    },
  });
  return { get: key => mirror?.get(key), list: () => mirror?.list() ?? [] };
}

/** Gateways of the classes that are this controller's, and their HTTPRoutes. */
export function watchGateways(options: SourceOptions & { readonly clock: Clock }): Source {
  const { client, informers, backends, secrets, addresses, onChange, clock } = options;
  const classes = mirrorOf<GatewayClass>(options, GATEWAY_CLASSES);
  const gateways = mirrorOf<Gateway>(options, GATEWAYS);
  const routes = mirrorOf<HttpRoute>(options, HTTP_ROUTES);
  const grants = mirrorOf<ReferenceGrant>(options, REFERENCE_GRANTS);
  const namespaces = informers.informer<Namespace>(NAMESPACES);
  namespaces.addHandler({
    add: onChange,
    delete: onChange,
    update: (old, now) => void (jsonEqual(old.metadata.labels, now.metadata.labels) || onChange()),
  });
  let compiled: CompiledGateways | undefined;

  /** The status that an object should have; undefined: nothing is to be said of it. */
  const statusOf = (kind: Kind, key: string, now: string): { object: KubeObject; status: object } | undefined => {
    if (kind === 'class') {
      const object = classes.get(key);
      const verdicts = compiled?.classes.get(key);
      if (object === undefined || verdicts === undefined) return undefined;
      return { object, status: { conditions: conditionsOf(object, object.status, verdicts, now) } };
    }
    if (kind === 'gateway') {
      const object = gateways.get(key);
      const said = compiled?.gateways.get(key);
      return object === undefined || said === undefined
        ? undefined
        : { object, status: gatewayStatus(object, said, addresses(), now) };
    }
    const object = routes.get(key);
    if (object === undefined) return undefined;
    const said = compiled?.routes.get(key) ?? [];
    const before = object.status?.parents ?? [];
    const others = before.filter(({ controllerName }) => controllerName !== GATEWAY_CONTROLLER);
    const ours = said.map(({ parent, verdicts }) => {
      const old = before.find(each => each.controllerName === GATEWAY_CONTROLLER && jsonEqual(each.parentRef, parent));
      return {
        parentRef: parent,
        controllerName: GATEWAY_CONTROLLER,
        conditions: conditionsOf(object, old, verdicts, now),
      };
    });
    return { object, status: { parents: [...others, ...ours] } };
  };
  const isTold = ({ object, status }: { object: KubeObject; status: object }): boolean => {
    const shown = (object['status'] ?? {}) as Record<string, unknown>;
    return Object.entries(status).every(([field, value]) => jsonEqual(shown[field] ?? [], value));
  };

  return {
    compile() {
      compiled = compileGateways({
        classes: classes.list(),
        gateways: gateways.list(),
        routes: routes.list(),
        grants: [...grants.list()],
        addresses: addresses(),
        labelsOf: name => {
          const namespace = namespaces.indexer.get(name);
          return namespace && (namespace.metadata.labels ?? {});
        },
        backendProblemOf: port => backends.problemOf(port),
        certificateProblemOf: secret => {
          const certificate = secrets.certificateOf(secret);
          return 'context' in certificate ? undefined : certificate.message;
        },
      });
      const certificates = compiled.certificates.flatMap(({ gateway, host, secret }): ShownCertificate[] => {
        const certificate = secrets.certificateOf(secret);
        const origin = { created: gateway.metadata.creationTimestamp ?? '', key: keyOf(gateway), index: 0 };
        return 'context' in certificate ? [{ host, origin, context: certificate.context }] : [];
      });
      return { rules: compiled.rules, certificates };
    },
    *untold() {
      const now = formatTime(clock.now());
      const keys: Record<Kind, Iterable<string>> = {
        class: compiled?.classes.keys() ?? [],
        gateway: compiled?.gateways.keys() ?? [],
        // Also those that no Gateway of ours has any longer.
        route: [...routes.list()].map(keyOf),
      };
      for (const kind of Object.keys(KINDS) as Kind[])
        for (const key of keys[kind]) {
          const wanted = statusOf(kind, key, now);
          if (wanted !== undefined && !isTold(wanted)) yield `${kind} ${key}`;
        }
    },
    async tell(task) {
      const space = task.indexOf(' ');
      const [kind, key] = [task.slice(0, space) as Kind, task.slice(space + 1)];
      const wanted = statusOf(kind, key, formatTime(clock.now()));
      if (wanted === undefined || isTold(wanted)) return;
      // Others write into the same lists: what has changed meanwhile is looked at again.
      const metadata = { resourceVersion: wanted.object.metadata.resourceVersion };
      try {
        await client
          .resource(KINDS[kind])
          .patch(splitKey(key), { metadata, status: wanted.status }, { type: 'merge', subresource: 'status' });
      } catch (error) {
        if (!isStatusError(error, 'NotFound')) throw error;
      }
    },
  };
}

const conditionsOf = (
  { metadata: { generation } }: KubeObject,
  before: { readonly conditions?: readonly Condition[] } | undefined,
  verdicts: Parameters<typeof writtenConditions>[1],
  now: string,
): Condition[] => writtenConditions(before?.conditions ?? [], verdicts, generation, now);

function gatewayStatus(
  gateway: Gateway,
  { verdicts, listeners }: NonNullable<ReturnType<CompiledGateways['gateways']['get']>>,
  addresses: readonly string[],
  now: string,
): object {
  const before = (gateway.status ?? {}) as {
    readonly conditions?: readonly Condition[];
    readonly listeners?: readonly { readonly name: string; readonly conditions?: readonly Condition[] }[];
  };
  return {
    addresses: addresses.map(value => ({ type: 'IPAddress', value })),
    conditions: conditionsOf(gateway, before, verdicts, now),
    listeners: listeners.map(({ name, attachedRoutes, supportedKinds, verdicts: its }) => ({
      ...{ name, attachedRoutes, supportedKinds },
      conditions: conditionsOf(
        gateway,
        before.listeners?.find(each => each.name === name),
        its,
        now,
      ),
    })),
  };
}
