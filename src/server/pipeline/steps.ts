import { BACKUP_PATH } from '../endpoints/backup.js';
import { badRequestError, forbiddenError, internalError } from '../../machinery/status.js';
import { durationProblem, parseDuration } from '../../machinery/duration.js';
import { headerWarning } from '../auth/authn/authenticate.js';
import { notAllowedError } from '../auth/forbidden.js';
import { impersonate } from '../auth/impersonation.js';
import { dispatch } from '../handlers/dispatch.js';
import {
  checkRoutable,
  ENCODINGS,
  inputEncoding,
  negotiate,
  notAcceptableError,
  patchType,
} from '../negotiation/media-types.js';
import { respond } from '../responses/respond.js';
import { RequestAttributes } from './attributes.js';
import { readBody } from './body.js';
import type { Step } from './context.js';
import type { Exchange } from './exchange.js';
import { parseRequestInfo } from './request-info.js';
import { requestedFields } from './requested-fields.js';
import { findRoute } from './routes.js';

const MAX_DURATION_MS = 60_000;

const LONG_RUNNING_VERBS = new Set(['watch', 'proxy']);
const LONG_RUNNING_SUBRESOURCES = new Set(['attach', 'exec', 'proxy', 'log', 'portforward']);

/** From the URL: verb, resource, namespace, name (request-info.ts). */
const requestInfo: Step = {
  name: 'request info',
  run(exchange) {
    const { request } = exchange;
    try {
      exchange.info = parseRequestInfo(request.method, request.path, request.query);
    } catch (error) {
      throw internalError(`failed to create RequestInfo: ${error instanceof Error ? error.message : String(error)}`);
    }
    const { info } = exchange;
    exchange.longRunning =
      (info.isResource
        ? LONG_RUNNING_VERBS.has(info.verb) || LONG_RUNNING_SUBRESOURCES.has(info.subresource)
        : request.path === BACKUP_PATH) || request.upgradeHead !== undefined;
  },
};

/** Whether the server is about to end: then it is no longer begun. */
const shutdown: Step = {
  name: 'shutdown',
  run(exchange) {
    if (exchange.longRunning) return;
    try {
      exchange.enter();
    } catch (error) {
      // Another server may answer at once.
      exchange.request.response.setHeader('Retry-After', '1');
      throw error;
    }
  },
};

/** Every request but watches and streams ends within a minute, or sooner when ?timeout= says so. */
const deadline: Step = {
  name: 'deadline',
  run(exchange) {
    if (exchange.longRunning) return;
    const asked = exchange.request.query.get('timeout');
    let limit = MAX_DURATION_MS;
    if (asked !== null && asked !== '') {
      const parsed = parseDuration(asked);
      if (parsed === undefined)
        throw badRequestError(`invalid timeout specified in the request URL - ${durationProblem(asked) ?? ''}`);
      if (parsed > 0 && parsed < limit) limit = parsed;
    }
    exchange.limitTo(limit);
  },
};

/** Who asks. */
const authentication: Step = {
  name: 'authentication',
  run(exchange, context) {
    const warning = headerWarning(exchange.request.raw.headers.authorization);
    if (warning !== undefined) exchange.warnings.push(warning);
    try {
      exchange.user = context.authentication.authenticate(exchange.request);
    } catch (error) {
      exchange.audit = context.audit?.begin(exchange, undefined);
      throw error;
    }
  },
};

/** What they ask for by field selector. After authentication, since selectors are long. */
const selection: Step = {
  name: 'selection',
  run(exchange) {
    const { info, request } = exchange;
    const { name, fields } = requestedFields(info, request.query);
    if (name !== '') exchange.info = { ...info, name };
    exchange.fields = fields;
  },
};

/** Begins to record, in the name of who is really there. */
const auditing: Step = {
  name: 'auditing',
  run(exchange, context) {
    exchange.audit = context.audit?.begin(exchange, exchange.user);
  },
};

/** Whom they act as. */
const impersonation: Step = {
  name: 'impersonation',
  run(exchange, context) {
    const other = impersonate(context.authorizer, exchange.request.raw, exchange.user);
    if (other === undefined) return;
    exchange.audit?.impersonated(other);
    exchange.impersonator = exchange.user;
    exchange.user = other;
  },
};

/**
 * Whether there is room for them, now or when it is their turn. What is long-running takes no room, but for watches, which do
 * until they have begun.
 */
const priorityAndFairness: Step = {
  name: 'priority and fairness',
  run(exchange, context) {
    const { info, user, longRunning } = exchange;
    const { flowControl, inFlight } = context;
    if (longRunning && (flowControl === undefined || info.verb !== 'watch')) return;
    exchange.seat = flowControl?.enter(exchange) ?? inFlight.enter(info.verb, user);
    return exchange.seat.turn;
  },
};

/** Whether they may. */
const authorization: Step = {
  name: 'authorization',
  run(exchange, context) {
    const attributes = new RequestAttributes(exchange);
    const { decision, reason } = context.authorizer.authorize(attributes);
    exchange.audit?.annotate('authorization.k8s.io/decision', decision === 'allow' ? 'allow' : 'forbid');
    exchange.audit?.annotate('authorization.k8s.io/reason', reason);
    if (decision !== 'allow') throw notAllowedError(attributes, reason);
  },
};

/** What is asked for: a resource's registry and action, or a document. 404 and 405 come from here. */
const routing: Step = {
  name: 'routing',
  run(exchange, context) {
    exchange.route = findRoute(exchange, context);
  },
};

const STREAMS = ['application/json;stream=watch', 'application/vnd.kubernetes.protobuf;stream=watch'];

/** Streams into a Pod open with GET, too, as browsers must; yet they do what `create` stands for (since 1.35). */
const streamPermission: Step = {
  name: 'stream permission',
  run(exchange, context) {
    const { route, info } = exchange;
    if (route.kind !== 'resource' || route.action !== 'connect') return;
    const behaviour = route.entry.strategy.subresources?.[route.subresource?.name ?? ''];
    if (behaviour?.kind !== 'connect' || behaviour.needs === undefined || behaviour.needs === info.verb) return;
    const { decision, reason } = context.authorizer.authorize(new RequestAttributes(exchange, behaviour.needs));
    if (decision !== 'allow') throw forbiddenError({ group: info.group, resource: info.resource }, info.name, reason);
  },
};

/** How the answer will be written, and whether the body is of a kind that the route takes. */
const negotiation: Step = {
  name: 'negotiation',
  run(exchange) {
    const { route, request } = exchange;
    const accept = request.raw.headers.accept;
    if (route.kind === 'document') {
      if (route.negotiated) checkRoutable(accept, ENCODINGS);
      return;
    }
    if (route.action === 'connect') return;
    const streams = route.action === 'watch' || route.action === 'list' ? STREAMS : [];
    if (route.action === 'patch')
      patchType(request.raw.headers['content-type'], route.entry.schema.strategic !== undefined);
    if (route.entry.info.dynamic !== true) checkRoutable(accept, [...ENCODINGS, ...streams]);
    const encodings = ENCODINGS;
    const objects = route.entry.schema.mediaTypes;
    // What is only posted, as reviews are, has no rows.
    const tables = route.entry.info.verbs.includes('get');
    const media = negotiate(accept, { encodings, objects, transforms: true, tables });
    if (media === undefined) throw notAcceptableError(encodings);
    if (route.action === 'watch' && media.encoding === 'application/yaml')
      throw notAcceptableError(STREAMS.filter(s => encodings.some(e => s.startsWith(`${e};`))));
    exchange.media = media;
    if (route.action === 'create' || route.action === 'update')
      inputEncoding(request.raw.headers['content-type'], route.entry.schema.mediaTypes);
  },
};

const BODY_ACTIONS = new Set<string>(['create', 'update', 'patch', 'delete', 'deletecollection', 'invoke']);

async function readInto(exchange: Exchange): Promise<void> {
  exchange.body = await readBody(exchange.request);
}

/** Reads the body; what it says is decoded by the handler, which knows the options. */
const reading: Step = {
  name: 'reading',
  run(exchange) {
    const { route } = exchange;
    return route.kind === 'resource' && BODY_ACTIONS.has(route.action) ? readInto(exchange) : undefined;
  },
};

/** Does it, and writes the answer. */
const dispatching: Step = {
  name: 'dispatch',
  async run(exchange, context) {
    const answer =
      exchange.route.kind === 'document'
        ? await exchange.route.handle(exchange)
        : await dispatch(exchange, exchange.route, context);
    await respond(exchange, answer, context);
  },
};

/** The way of every request, in order. */
export const STEPS: readonly Step[] = [
  requestInfo,
  shutdown,
  deadline,
  authentication,
  selection,
  auditing,
  impersonation,
  priorityAndFairness,
  authorization,
  routing,
  streamPermission,
  negotiation,
  reading,
  dispatching,
];

/**
 * The same with one more as soon as it is known who asks for what, and recorded: there somebody who tests clients
 * answers in the server's place, or lets them wait. A server without it does not have the step.
 */
export const stepsWith = (interposed: Step): readonly Step[] =>
  STEPS.flatMap(step => (step === impersonation ? [step, interposed] : [step]));
