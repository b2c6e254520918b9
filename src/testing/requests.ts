import type { JsonObject } from '../machinery/types.js';
import type { AuditSink } from '../server/audit/auditor.js';
import type { RecordedRequest, RequestFilter } from './request-types.js';

/** What a filter looks at. */
export type Asked = Pick<
  RecordedRequest,
  'user' | 'userAgent' | 'verb' | 'group' | 'resource' | 'subresource' | 'namespace' | 'name'
>;

const matches = (wanted: string | RegExp | undefined, value: string): boolean =>
  wanted === undefined || (typeof wanted === 'string' ? wanted === value : wanted.test(value));

export function filterMatches(filter: RequestFilter, asked: Asked): boolean {
  const { userAgent, verb, resource, namespace } = filter;
  if (!matches(filter.user, asked.user) || !matches(filter.name, asked.name)) return false;
  if (typeof userAgent === 'string' ? !asked.userAgent.startsWith(userAgent) : !matches(userAgent, asked.userAgent))
    return false;
  if (verb !== undefined && !(typeof verb === 'string' ? [verb] : verb).includes(asked.verb)) return false;
  if (namespace !== undefined && namespace !== asked.namespace) return false;
  return resource === undefined || resourceMatches(resource, asked);
}

function resourceMatches(wanted: string, { group, resource, subresource }: Asked): boolean {
  const [path = '', sub = ''] = wanted.split('/', 2);
  const dot = path.indexOf('.');
  const [name, itsGroup] = dot < 0 ? [path, undefined] : [path.slice(0, dot), path.slice(dot + 1)];
  if (name !== '*' && name !== resource) return false;
  if (itsGroup !== undefined && itsGroup !== group) return false;
  return sub === '*' || sub === subresource;
}

interface AuditEvent {
  readonly auditID: string;
  readonly stage: string;
  readonly requestURI: string;
  readonly verb: string;
  readonly user: { readonly username?: string };
  readonly impersonatedUser?: { readonly username?: string };
  readonly userAgent?: string;
  readonly objectRef?: Readonly<Record<string, string>>;
  readonly responseStatus?: { readonly code?: number; readonly reason?: string };
  readonly requestObject?: unknown;
  readonly requestReceivedTimestamp: string;
}

function recorded(event: AuditEvent): RecordedRequest {
  const { objectRef = {}, responseStatus = {}, impersonatedUser, requestObject } = event;
  const real = event.user.username ?? '';
  return {
    time: event.requestReceivedTimestamp,
    user: impersonatedUser?.username ?? real,
    ...(impersonatedUser === undefined ? {} : { impersonator: real }),
    userAgent: event.userAgent ?? '',
    verb: event.verb,
    group: objectRef['apiGroup'] ?? '',
    version: objectRef['apiVersion'] ?? '',
    resource: objectRef['resource'] ?? '',
    subresource: objectRef['subresource'] ?? '',
    namespace: objectRef['namespace'] ?? '',
    name: objectRef['name'] ?? '',
    url: event.requestURI,
    status: responseStatus.code ?? 0,
    ...(responseStatus.reason === undefined ? {} : { reason: responseStatus.reason }),
    ...(requestObject === undefined ? {} : { body: requestObject }),
  };
}

/** The newest requests, as the audit pipeline tells of them. */
export interface RequestLog {
  readonly sink: AuditSink;
  requests(filter?: RequestFilter): RecordedRequest[];
  clear(): void;
}

export function createRequestLog(limit: number): RequestLog {
  /** A ring: `next` is where the oldest is, once it is full. */
  let ring: RecordedRequest[] = [];
  let next = 0;
  /** What goes on for long is told of when it begins: its end is no second request. */
  const begun = new Set<string>();
  return {
    sink: {
      write(event: JsonObject) {
        const asked = event as unknown as AuditEvent;
        if (asked.stage === 'ResponseComplete' && begun.delete(asked.auditID)) return;
        // Of somebody whom nobody knows there is no other stage.
        if (asked.stage === 'ResponseStarted' && asked.user.username !== undefined) begun.add(asked.auditID);
        ring[next] = recorded(asked);
        next = (next + 1) % limit;
      },
      flush: () => Promise.resolve(),
    },
    requests: (filter = {}) =>
      [...ring.slice(next), ...ring.slice(0, next)].filter(request => filterMatches(filter, request)),
    clear() {
      ring = [];
      next = 0;
    },
  };
}
