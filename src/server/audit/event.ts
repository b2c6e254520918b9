import { isIP } from 'node:net';
import { formatMicroTime } from '../../machinery/clock.js';
import type { Status } from '../../machinery/status.js';
import type { JsonObject, ObjectMeta } from '../../machinery/types.js';
import type { UserInfo } from '../../api/strategy.js';
import type { Exchange } from '../pipeline/exchange.js';
import type { AuditLevel, AuditStage } from './policy.js';

/** What is known of a request beside its exchange. */
export interface AuditFacts {
  readonly level: AuditLevel;
  readonly stage: AuditStage;
  readonly receivedMs: number;
  readonly nowMs: number;
  /** Who asks; undefined: their credentials were no good. */
  readonly user: UserInfo | undefined;
  readonly impersonated: UserInfo | undefined;
  /** Of the object in the request. */
  readonly target: Pick<ObjectMeta, 'name' | 'namespace' | 'uid' | 'resourceVersion'> | undefined;
  readonly status: Status | undefined;
  readonly code: number | undefined;
  readonly requestObject: unknown;
  readonly responseObject: unknown;
  readonly annotations: ReadonlyMap<string, string>;
}

const MAX_USER_AGENT = 1024;

const auditUser = (user: UserInfo): JsonObject => ({
  ...(user.name === '' ? {} : { username: user.name }),
  ...(user.uid === undefined ? {} : { uid: user.uid }),
  ...(user.groups.length === 0 ? {} : { groups: user.groups }),
  ...(user.extra === undefined ? {} : { extra: user.extra }),
});

/** Whom proxies say they speak for, then who is connected (apimachinery net.SourceIPs). */
function sourceIps({ request }: Exchange): string[] {
  const { headers } = request.raw;
  const forwarded = String(headers['x-forwarded-for'] ?? '').split(',');
  const ips = forwarded.map(text => text.trim()).filter(text => isIP(text) !== 0);
  const real = String(headers['x-real-ip'] ?? '');
  if (isIP(real) !== 0 && !ips.includes(real)) ips.push(real);
  const remote = request.socket.remoteAddress?.replace(/^::ffff:/, '');
  if (remote !== undefined && ips.at(-1) !== remote) ips.push(remote);
  return ips;
}

const some = (name: string, value: string | undefined): JsonObject => (value ? { [name]: value } : {});

function objectRef({ info }: Exchange, target: AuditFacts['target']): JsonObject {
  return {
    resource: info.resource,
    ...some('namespace', info.namespace || target?.namespace),
    ...some('name', info.name || target?.name),
    ...some('uid', target?.uid),
    ...some('apiGroup', info.group),
    apiVersion: info.version,
    ...some('resourceVersion', target?.resourceVersion),
    ...some('subresource', info.subresource),
  };
}

/** A Status as far as an event repeats it. */
function responseStatus({ status, code }: AuditFacts): JsonObject | undefined {
  if (status === undefined) return code === undefined ? undefined : { metadata: {}, code };
  const { message, reason, details } = status;
  return {
    metadata: {},
    ...some('status', status.status),
    ...some('message', message),
    ...some('reason', reason),
    ...(details === undefined ? {} : { details }),
    code: status.code ?? code,
  };
}

function userAgentOf({ request }: Exchange): string {
  const given = request.raw.headers['user-agent'] ?? '';
  return given.length > MAX_USER_AGENT ? `${given.slice(0, MAX_USER_AGENT)}...TRUNCATED` : given;
}

/** audit.k8s.io/v1 Event, fields in upstream's order. */
export function auditEvent(exchange: Exchange, facts: AuditFacts): JsonObject {
  const { request, info } = exchange;
  const { user, impersonated, requestObject, responseObject } = facts;
  const status = responseStatus(facts);
  return {
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level: facts.level,
    auditID: request.auditId,
    stage: facts.stage,
    requestURI: request.url,
    verb: info.verb,
    user: user === undefined ? {} : auditUser(user),
    ...(impersonated === undefined ? {} : { impersonatedUser: auditUser(impersonated) }),
    sourceIPs: sourceIps(exchange),
    ...some('userAgent', userAgentOf(exchange)),
    ...(info.isResource ? { objectRef: objectRef(exchange, facts.target) } : {}),
    ...(status === undefined ? {} : { responseStatus: status }),
    ...(requestObject === undefined ? {} : { requestObject }),
    ...(responseObject === undefined ? {} : { responseObject }),
    requestReceivedTimestamp: formatMicroTime(facts.receivedMs),
    stageTimestamp: formatMicroTime(facts.nowMs),
    ...(facts.annotations.size === 0 ? {} : { annotations: Object.fromEntries([...facts.annotations].sort()) }),
  };
}
