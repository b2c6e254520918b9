import { formatMicroTime } from '../../machinery/clock.js';
import type { JsonObject } from '../../machinery/types.js';
import type { UserInfo } from '../../resources/strategy.js';
import type { Exchange } from './exchange.js';

const auditUser = (user: UserInfo): JsonObject => ({
  username: user.name,
  ...(user.uid === undefined ? {} : { uid: user.uid }),
  groups: user.groups,
  ...(user.extra === undefined ? {} : { extra: user.extra }),
});

/** audit.k8s.io/v1 Event at level Metadata, for the stage ResponseComplete. */
export function auditEvent(exchange: Exchange, receivedMs: number, finishedMs: number): JsonObject {
  const { request, info, user, impersonator, decision } = exchange;
  const address = request.socket.remoteAddress;
  return {
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level: 'Metadata',
    auditID: request.auditId,
    stage: 'ResponseComplete',
    requestURI: request.url,
    verb: info.verb,
    user: auditUser(impersonator ?? user),
    ...(impersonator === undefined ? {} : { impersonatedUser: auditUser(user) }),
    sourceIPs: address === undefined ? [] : [address],
    userAgent: request.raw.headers['user-agent'] ?? '',
    ...(info.isResource
      ? {
          objectRef: {
            resource: info.resource,
            ...(info.namespace === '' ? {} : { namespace: info.namespace }),
            ...(info.name === '' ? {} : { name: info.name }),
            ...(info.group === '' ? {} : { apiGroup: info.group }),
            apiVersion: info.version,
            ...(info.subresource === '' ? {} : { subresource: info.subresource }),
          },
        }
      : {}),
    responseStatus: { metadata: {}, code: request.response.statusCode },
    requestReceivedTimestamp: formatMicroTime(receivedMs),
    stageTimestamp: formatMicroTime(finishedMs),
    ...(decision === undefined
      ? {}
      : {
          annotations: {
            'authorization.k8s.io/decision': decision.allowed ? 'allow' : 'forbid',
            'authorization.k8s.io/reason': decision.reason,
          },
        }),
  };
}
